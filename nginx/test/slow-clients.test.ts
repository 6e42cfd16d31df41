import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

/** More than the 256 requests in flight that nginx accepts from one address. */
const SLOW_CLIENTS = 600

describe('nginx while one address sends 600 slow bodies', skipWithoutNginx, () => {
  const slow: Socket[] = []
  // Runs before nginx ends, which otherwise waits for the slow bodies.
  after(() => {
    for (const socket of slow) socket.destroy()
  })
  const gateway = useNginx()
  before(() => {
    const port = Number(new URL(gateway.nginx.origin).port)
    for (let n = 0; n < SLOW_CLIENTS; n++) slow.push(slowClient(port))
  })

  it('serves an honest client at another address', async () => {
    for (let n = 0; n < 20; n++) {
      const began = performance.now()
      const { status } = await gateway.send('/orders', { method: 'POST', body: '{}' })
      assert.equal(status, 200)
      const took = performance.now() - began
      assert.ok(took < 2_000, `request ${n} took ${took} ms`)
    }
  })

  it('closes the connections of all rejected requests within 5 s and accepts at most 256 slow bodies', async () => {
    await sleep(5_000)
    const open = slow.filter(({ closed }) => !closed).length
    assert.ok(open > 0 && open <= 256, `${open} connections are open`)
  })
})

describe('nginx', skipWithoutNginx, () => {
  const gateway = useNginx()

  for (const [status, request, ...headers] of [
    [404, 'POST /nothing'],
    [405, 'TRACE /orders'],
    [412, 'POST /', 'If-Match: "x"'],
    [413, 'POST /orders', 'Content-Length: 70000'],
    [417, 'POST /orders', 'Expect: x'],
  ] as const) {
    it(`closes the connection within 5 s after it responds ${status} to a request whose body does not end`, async () => {
      const began = performance.now()
      const length = status === 413 ? [] : ['Content-Length: 60000']
      const socket = gateway.connect()
      socket.write([`${request} HTTP/1.1`, 'Host: x', ...headers, ...length, '\r\n'].join('\r\n'))
      const timer = setInterval(() => socket.write(' '), 300)
      let response = ''
      socket.on('data', (text) => {
        response += text
      })
      // nginx may reset the connection, because it has not read everything.
      socket.on('error', () => {})
      await new Promise((resolve) => socket.on('close', resolve))
      clearInterval(timer)
      assert.match(response, new RegExp(`^HTTP/1.1 ${status} `))
      assert.ok(performance.now() - began < 5_000)
    })
  }
})

/** Opens a connection from 127.0.0.2 and sends one byte of a body every 500 ms. */
function slowClient(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  socket.write('POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n')
  const timer = setInterval(() => socket.write(' '), 500)
  return (
    socket
      // Reads the response, so that the socket notices the end of the connection.
      .resume()
      .on('error', () => {})
      .on('close', () => clearInterval(timer))
  )
}
