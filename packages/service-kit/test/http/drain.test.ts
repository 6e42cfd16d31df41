import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, createApp } from '../../src/http/app.ts'

describe('an app that ends', () => {
  it('answers what is in flight, and what comes on connections that were open and quiet', async () => {
    const app = await slowApp(300)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await get(app, '/quick', agent)
    const inFlight = get(app, '/slow', new Agent())
    await sleep(50)
    const closed = app.close()
    await sleep(50)
    const onOpenConnection = await get(app, '/quick', agent)
    assert.deepEqual([onOpenConnection.status, onOpenConnection.connection], [200, 'close'])
    assert.equal((await inFlight).status, 200)
    await closed
    await assert.rejects(get(app, '/quick', agent))
  })

  it('does not wait long for connections that nobody uses', async () => {
    const app = await slowApp(0)
    const agent = new Agent({ keepAlive: true })
    await get(app, '/quick', agent)
    const started = performance.now()
    await app.close()
    assert.ok(performance.now() - started < 2_000)
    agent.destroy()
  })
})

async function slowApp(ms: number): Promise<App> {
  const app = await createApp({
    title: 'Test',
    description: '',
    tags: [],
    schemas: [],
    verifyToken: () => Promise.reject(new Error('not called')),
    toProblem: () => undefined,
    readiness: {},
  })
  app.get('/quick', { config: { access: 'public' } }, async () => ({}))
  app.get('/slow', { config: { access: 'public' } }, async () => {
    await sleep(ms)
    return {}
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  portOf.set(app, (app.server.address() as AddressInfo).port)
  return app
}

const portOf = new WeakMap<App, number>()

const get = (app: App, path: string, agent: Agent) =>
  new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
    request({ host: '127.0.0.1', port: portOf.get(app)!, path, agent }, (response) => {
      response.resume()
      response.on('end', () =>
        resolve({ status: response.statusCode, connection: response.headers.connection }),
      )
    })
      .on('error', reject)
      .end()
  })
