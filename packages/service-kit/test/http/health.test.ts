import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, createApp } from '../../src/http/app.ts'

let app: App
afterEach(() => app.close())

const appWith = async (check: () => Promise<unknown>) => {
  app = await createApp({
    title: 'health',
    description: '',
    tags: [],
    schemas: [],
    verifyToken: () => assert.fail('no token'),
    toProblem: () => undefined,
    readiness: { database: check },
  })
  return async () => (await app.inject('/health/ready')).statusCode
}

it('/health/ready runs each check once a second at most', async () => {
  let runs = 0
  const ready = await appWith(async () => ++runs)
  for (let n = 0; n < 20; n++) assert.equal(await ready(), 200)
  assert.equal(runs, 1)
  await sleep(1_100)
  assert.equal(await ready(), 200)
  assert.equal(runs, 2)
})

it('/health/ready responds 503 when a check fails, and 200 within a second after the cause has gone', async () => {
  let isDown = true
  const ready = await appWith(async () => {
    if (isDown) throw new Error('down')
  })
  assert.equal(await ready(), 503)
  isDown = false
  await sleep(1_100)
  assert.equal(await ready(), 200)
})

it('/health/ready responds 503 within three seconds when a check does not end, and starts no other check', async () => {
  let runs = 0
  const ready = await appWith(() => {
    runs++
    return new Promise(() => {})
  })
  const started = performance.now()
  assert.deepEqual(await Promise.all([ready(), ready(), ready()]), [503, 503, 503])
  assert.ok(performance.now() - started < 3_000)
  assert.equal(runs, 1)
})
