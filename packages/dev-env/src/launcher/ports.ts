import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** On both, since a browser asked for `localhost` may try either first. */
const LOOPBACK = ['127.0.0.1', '::1']

/** Which of `ports` cannot be listened on, because something else does or because we may not. */
export async function busyPorts(ports: readonly number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(isFree))
  return ports.filter((_port, i) => !free[i])
}

async function isFree(port: number): Promise<boolean> {
  for (const host of LOOPBACK) {
    const server = createServer()
    const refusal = await listening(server, port, host)
    server.close()
    // A machine without IPv6 has nobody else listening there either.
    if (refusal && refusal !== 'EADDRNOTAVAIL' && refusal !== 'EAFNOSUPPORT') return false
  }
  return true
}

/** Undefined when it listens, else the error's code. */
async function listening(server: Server, port: number, host: string): Promise<string | undefined> {
  server.listen({ port, host, exclusive: true })
  try {
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

/** Below the ports that systems take for outgoing connections (from 32,768 up), one of which could come between. */
const RANGE = { from: 15_000, to: 32_000 }
const ATTEMPTS = 1_000
const given = new Set<number>()

/**
 * `count` ports that are free now, each given once by this process. Processes cannot agree on port 0, so
 * whoever starts several needs to know their ports before.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  for (let attempt = 0; found.length < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`No ${count} free ports between ${RANGE.from} and ${RANGE.to}`)
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    found.push(port)
  }
  return found
}
