import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import type { App } from '../../src/http/app.ts'
import { emptyApp, kitchenApp } from './kitchen-app.ts'

const portOf = (app: App) => (app.server.address() as AddressInfo).port

describe('a listening app', { concurrency: true }, () => {
  let app: App
  before(async () => {
    app = await kitchenApp()
    await app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(() => app.close())

  /** Sends `data` and returns everything received until the app closes the connection. */
  const send = (data: string): Promise<string> => {
    const socket = connect(portOf(app), '127.0.0.1', () => socket.write(data))
    return text(socket)
  }

  it('responds 400 malformed-request to data that is not HTTP', async () => {
    const response = await send('GARBAGE\r\n\r\n')
    assert.match(response, /^HTTP\/1.1 400/)
    assert.match(response, /"code":"malformed-request"/)
  })

  it('responds 431 to headers that are too large', async () => {
    const response = await send(`GET /open HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`)
    assert.match(response, /^HTTP\/1.1 431/)
    assert.match(response, /"code":"headers-too-large"/)
  })

  it('responds 413 to a chunked body that is too large', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const response = await send(
      `POST /dishes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}`,
    )
    assert.match(response, /^HTTP\/1.1 413/)
    assert.match(response, /"code":"payload-too-large"/)
  })

  for (const [what, data] of [
    ['incomplete headers', 'POST /dishes HTTP/1.1\r\nhost: x\r\n'],
    [
      'an incomplete body',
      'POST /dishes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
  ] as const) {
    it(`responds 408 to a request with ${what}`, { timeout: 20_000 }, async () => {
      const response = await send(data)
      assert.match(response, /^HTTP\/1.1 408/)
      assert.match(response, /"code":"request-timeout"/)
    })
  }
})

describe('an app that shuts down', { concurrency: true }, () => {
  it('completes requests in flight, and responds to a request on an open keep-alive connection', async () => {
    const { app, arrived, respond } = await slowApp()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await get(app, '/quick', agent)
    const inFlight = get(app, '/slow', new Agent())
    await arrived
    const port = portOf(app)
    const stopsListening = once(app.server, 'close')
    const closed = app.close()
    await untilRefused(port)
    const onOpenConnection = await get(app, '/quick', agent, port)
    assert.deepEqual([onOpenConnection.status, onOpenConnection.connection], [200, 'close'])
    respond()
    assert.equal((await inFlight).status, 200)
    await closed
    await stopsListening
    await assert.rejects(get(app, '/quick', agent, port))
  })

  it('closes within 2 seconds although a connection is idle', async () => {
    const { app } = await slowApp()
    const agent = new Agent({ keepAlive: true })
    await get(app, '/quick', agent)
    const started = performance.now()
    await app.close()
    assert.ok(performance.now() - started < 2_000)
    agent.destroy()
  })
})

/** Starts an app. `arrived` resolves when a request reaches `/slow`. This route responds after `respond` is called. */
async function slowApp() {
  const app = await emptyApp()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: mayRespond, resolve: respond } = Promise.withResolvers<void>()
  app.get('/quick', { config: { access: 'public' } }, async () => ({}))
  app.get('/slow', { config: { access: 'public' } }, async () => {
    arrive()
    await mayRespond
    return {}
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, arrived, respond }
}

/** Resolves when the port no longer accepts connections. */
async function untilRefused(port: number): Promise<void> {
  while (true) {
    const socket = connect(port, '127.0.0.1')
    const outcome = await once(socket, 'connect').catch((error: Error) => error)
    socket.destroy()
    if (outcome instanceof Error) return
  }
}

async function get(app: App, path: string, agent: Agent, port = portOf(app)) {
  const outgoing = request({ host: '127.0.0.1', port, path, agent }).end()
  const [response] = await once(outgoing, 'response')
  await text(response)
  return { status: response.statusCode, connection: response.headers.connection }
}
