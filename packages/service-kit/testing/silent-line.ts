import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A connection to a server that can become silent, as if the host of the server had vanished. */
export interface SilentLine {
  /** The URL of the server through the line. */
  url: string
  /** From now on, no byte arrives, and no connection is closed or refused. */
  silence(): void
  /** New connections work again. Those that were open stay silent. */
  restore(): void
  close(): void
}

/** Opens a line to the server in `url`. */
export async function openSilentLine(url: string): Promise<SilentLine> {
  const target = new URL(url)
  const port = Number(target.port || (target.protocol === 'mysql:' ? 3306 : 5432))
  const sockets = new Set<Socket>()
  let isSilent = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }
  const server = createServer((client) => {
    keep(client)
    if (isSilent) return
    const upstream = connect(port, target.hostname)
    keep(upstream)
    client.pipe(upstream).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const line = new URL(url)
  line.hostname = '127.0.0.1'
  line.port = `${(server.address() as AddressInfo).port}`
  return {
    url: line.href,
    silence: () => {
      isSilent = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    restore: () => {
      isSilent = false
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
