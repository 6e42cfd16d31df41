import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url))

/** Milliseconds, and requests that did not get a 2xx. */
export interface Measured {
  perSecond: number
  p50: number
  p99: number
  failed: number
}

export interface Load {
  url: string
  seconds: number
  /** A file with a token a line, each another buyer's. */
  tokens: string
  /** Orders go to one of the products 1 to this. */
  products: number
  /** Gets this instead of placing orders; `{id}` becomes a product's. */
  path?: string
}

/** 64 connections by wrk, a process of its own; every order has a key of its own. */
export async function measure({ url, seconds, tokens, products, path = '-' }: Load): Promise<Measured> {
  const key = randomBytes(6).toString('hex')
  const args = [
    '-t1',
    '-c64',
    `-d${seconds}s`,
    '--timeout',
    '10s',
    '-s',
    SCRIPT,
    url,
    '--',
    tokens,
    `${products}`,
    key,
    path,
  ]
  const { stdout } = await run('wrk', args)
  const { requests, seconds: took, p50, p99, failed, timeouts } = JSON.parse(/RESULT (.*)/.exec(stdout)![1]!)
  return { perSecond: requests / took, p50, p99, failed: failed + timeouts }
}
