import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTestDatabase, type TestDatabase } from '@souk/service-kit/testing/engines'
import type { Tokens } from '../src/schemas.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const NEW_PASSWORD = 'a new and secret password'

describe('the running service', () => {
  let place: TestDatabase
  let service: ChildProcess
  let base: string
  let log = ''
  const secrets = ['"password"', NEW_PASSWORD]

  before(async () => {
    place = await createTestDatabase('sqlite')
    service = spawn(process.execPath, [MAIN], {
      env: { ...process.env, DATABASE_URL: place.url, PORT: '0', SEED_DEMO_DATA: 'true', LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    base = await new Promise<string>((resolve, reject) => {
      service.on('exit', (code) => reject(new Error(`The service ended with ${code}: ${log}`)))
      service.stdout!.on('data', (chunk) => {
        log += chunk
        const [, address] = /Server listening at (http:[^"]+)/.exec(log) ?? []
        if (address) resolve(address)
      })
    })
  })
  after(async () => {
    if (service.exitCode === null) service.kill('SIGKILL')
    await place.drop()
  })

  const call = (method: string, path: string, body: object, headers: object = {}) =>
    fetch(`${base}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it('is ready, with its page and its contract', async () => {
    for (const path of ['/health/ready', '/', '/openapi.json']) {
      assert.equal((await fetch(base + path)).status, 200, path)
    }
  })

  it('serves a whole session', async () => {
    const credentials = { username: 'user-1', password: 'password' }
    assert.equal((await call('POST', '/auth/login', { ...credentials, password: 'wrong one' })).status, 401)
    const answer = await call('POST', '/auth/login', credentials)
    const tokens = (await answer.json()) as Tokens
    const refresh = () => call('POST', '/auth/refresh', { refreshToken: tokens.refreshToken })
    const refreshed = (await (await refresh()).json()) as Tokens
    assert.equal((await refresh()).status, 401)
    const authorization = `Bearer ${tokens.accessToken}`
    const change = { currentPassword: 'password', newPassword: NEW_PASSWORD }
    assert.equal((await call('PUT', '/users/me/password', change, { authorization })).status, 204)
    secrets.push(tokens.accessToken, tokens.refreshToken, refreshed.accessToken, refreshed.refreshToken)
  })

  it('ends in good order when told to', async () => {
    service.removeAllListeners('exit')
    service.kill('SIGTERM')
    assert.deepEqual(await once(service, 'exit'), [0, null])
  })

  it('has logged what bears on security, and no secret', () => {
    const events = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event)
      .filter((event) => event !== undefined)
    assert.deepEqual(events, [
      'signing-key-created',
      'login-failed',
      'login',
      'refresh-token-reused',
      'password-changed',
    ])
    for (const secret of [...secrets, 'wrong one', 'argon2id']) assert.ok(!log.includes(secret), secret)
  })
})
