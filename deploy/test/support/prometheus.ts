import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntilReady } from '@souk/e2e/support/wait'

const run = promisify(execFile)
const PROMETHEUS = '/usr/bin/prometheus'
const CONFIG = new URL('../../monitoring/prometheus.yml', import.meta.url)

/** Shorter than in production, so that a rate has data after two seconds. */
const SCRAPE_INTERVAL = '1s'

/** Returns whether Prometheus is installed. @throws Error if it is not installed and `REQUIRE_PROMETHEUS` is set */
export function hasPrometheus(): boolean {
  if (existsSync(PROMETHEUS)) return true
  if (process.env.REQUIRE_PROMETHEUS)
    throw new Error('Prometheus is required; install the package prometheus.')
  return false
}

export interface Prometheus {
  /** Returns the current result of a query, without NaN values. */
  query(promQl: string): Promise<{ labels: Record<string, string>; value: number }[]>
  stop(): Promise<void>
}

/** Starts Prometheus with the configuration in `deploy/monitoring`. `services` maps service names to `host:port`. */
export async function startPrometheus(services: Record<string, string>): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, forTest(readFileSync(CONFIG, 'utf8'), services))
  await run('promtool', ['check', 'config', config])
  const [port] = await freePorts(1)
  const storage = `--storage.tsdb.path=${join(folder, 'data')}`
  const args = [`--config.file=${config}`, storage, `--web.listen-address=127.0.0.1:${port}`]
  const child = spawn(PROMETHEUS, args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  await waitUntilReady(`${url}/-/ready`).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { query: (promQl) => query(url, promQl), stop }
}

/**
 * Replaces the DNS lookup with fixed targets, and shortens the scrape interval. Each target has the label
 * `__meta_dns_name`, which the DNS lookup would set.
 */
function forTest(config: string, services: Record<string, string>): string {
  const targets = Object.entries(services).map(
    ([name, target]) => `      - targets: ['${target}']\n        labels: { __meta_dns_name: ${name} }\n`,
  )
  const replaced = (text: string, pattern: RegExp, replacement: string) => {
    if (!pattern.test(text)) throw new Error(`prometheus.yml does not match ${pattern}.`)
    return text.replace(pattern, replacement)
  }
  return replaced(
    replaced(config, /dns_sd_configs:\n( {6,}.*\n)+/, `static_configs:\n${targets.join('')}`),
    /scrape_interval: \w+/,
    `scrape_interval: ${SCRAPE_INTERVAL}`,
  )
}

async function query(url: string, promQl: string) {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: promQl })}`)
  const { data, error } = (await response.json()) as {
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
    error?: string
  }
  if (!data) throw new Error(`${promQl}: ${error}`)
  return data.result
    .map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    .filter(({ value }) => !Number.isNaN(value))
}
