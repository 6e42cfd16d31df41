import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** The two addresses of `localhost`. A browser may try either address first, so a port must be free on both. */
const LOOPBACK = ['127.0.0.1', '::1']

/** Returns the ports that this process cannot listen on. */
export async function busyPorts(ports: readonly number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(isFree))
  return ports.filter((_port, i) => !free[i])
}

async function isFree(port: number): Promise<boolean> {
  for (const host of LOOPBACK) {
    const server = createServer()
    const error = await listen(server, port, host)
    server.close()
    // These errors mean that the machine has no IPv6. Then no other process listens on the IPv6 address either.
    if (error && error !== 'EADDRNOTAVAIL' && error !== 'EAFNOSUPPORT') return false
  }
  return true
}

/** Returns undefined if the server listens, otherwise the error code. */
async function listen(server: Server, port: number, host: string): Promise<string | undefined> {
  server.listen({ port, host, exclusive: true })
  try {
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

/**
 * `freePorts` returns ports of this range. The range ends below 32,768, because Linux uses higher ports for outgoing
 * connections. A connection could occupy a port after `freePorts` has returned the port.
 */
const RANGE = { from: 15_000, to: 32_000 }
const ATTEMPTS = 1_000
const returned = new Set<number>()

/**
 * Returns `count` free ports that this function has not returned before in this process. A service must know the ports
 * of the other services before the services start, so the operating system cannot choose the ports.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  for (let attempt = 0; found.length < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`No ${count} free ports between ${RANGE.from} and ${RANGE.to}`)
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from))
    if (returned.has(port) || !(await isFree(port))) continue
    returned.add(port)
    found.push(port)
  }
  return found
}
