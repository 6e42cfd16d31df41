import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase, type TestDatabase } from '@souk/service-kit/testing/engines'
import type { Tables } from '../src/database/tables.ts'
import type { Tokens } from '../src/sessions/session-schemas.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const NEW_PASSWORD = 'a new and secret password'

describe('the running users service', () => {
  let testDb: TestDatabase
  let service: ChildProcess
  let base: string
  let log = ''
  const secrets = ['"password"', NEW_PASSWORD]

  before(async () => {
    testDb = await createTestDatabase('sqlite')
    service = spawn(process.execPath, [MAIN], {
      env: {
        ...process.env,
        DATABASE_URL: testDb.url,
        PORT: '0',
        SEED_DEMO_DATA: 'true',
        LOG_LEVEL: 'info',
        TRUST_PROXY: '127.0.0.1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    base = await new Promise<string>((resolve, reject) => {
      service.on('exit', (code) => reject(new Error(`The service exited with code ${code}: ${log}`)))
      service.stdout!.on('data', (chunk) => {
        log += chunk
        const [, address] = /Server listening at (http:[^"]+)/.exec(log) ?? []
        if (address) resolve(address)
      })
    })
  })
  after(async () => {
    if (service.exitCode === null) service.kill('SIGKILL')
    await testDb.drop()
  })

  const call = (method: string, path: string, body: object, headers: object = {}) =>
    fetch(`${base}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it('serves the health check, the Swagger page and the OpenAPI document', async () => {
    for (const path of ['/health/ready', '/', '/openapi.json']) {
      assert.equal((await fetch(base + path)).status, 200, path)
    }
  })

  it('serves logins, refreshes and password changes', async () => {
    const credentials = { username: 'user-1', password: 'password' }
    const wrong = { ...credentials, password: 'wrong one' }
    const proxied = { 'x-forwarded-for': '203.0.113.7' }
    assert.equal((await call('POST', '/auth/login', wrong, proxied)).status, 401)
    const response = await call('POST', '/auth/login', credentials)
    const tokens = (await response.json()) as Tokens
    const refresh = () => call('POST', '/auth/refresh', { refreshToken: tokens.refreshToken })
    const refreshed = (await (await refresh()).json()) as Tokens
    assert.equal((await refresh()).status, 401)
    const authorization = `Bearer ${tokens.accessToken}`
    const change = { currentPassword: 'password', newPassword: NEW_PASSWORD }
    const mistaken = { ...change, currentPassword: 'wrong one' }
    assert.equal((await call('PUT', '/users/me/password', mistaken, { authorization })).status, 403)
    const forged = { authorization: `${authorization}forged` }
    assert.equal((await call('PUT', '/users/me/password', change, forged)).status, 401)
    assert.equal((await call('PUT', '/users/me/password', change, { authorization })).status, 204)
    secrets.push(tokens.accessToken, tokens.refreshToken, refreshed.accessToken, refreshed.refreshToken)
  })

  it('limits wrong passwords for each client address in X-Forwarded-For', async () => {
    const guess = (address: string, password = 'wrong one') =>
      call('POST', '/auth/login', { username: 'seller-1', password }, { 'x-forwarded-for': address })
    for (let i = 0; i < 10; i++) assert.equal((await guess('203.0.113.8')).status, 401)
    assert.equal((await guess('203.0.113.8', 'password')).status, 429)
    assert.equal((await guess('203.0.113.9', 'password')).status, 200)
  })

  it('serves the list of sessions, and limits the refreshes of a session', async () => {
    const account = { username: 'grace', password: 'nine green lanterns' }
    secrets.push(account.username, account.password)
    assert.equal((await call('POST', '/users', { ...account, role: 'BUYER' })).status, 201)
    const logIn = async () => (await (await call('POST', '/auth/login', account)).json()) as Tokens
    const [first, second] = [await logIn(), await logIn()]
    const headers = { authorization: `Bearer ${first.accessToken}` }
    assert.equal((await fetch(`${base}/auth/sessions`, { method: 'DELETE', headers })).status, 204)
    assert.equal((await call('POST', '/auth/refresh', { refreshToken: second.refreshToken })).status, 401)
    let { refreshToken } = first
    for (let i = 0; i < 10; i++) {
      const response = await call('POST', '/auth/refresh', { refreshToken })
      refreshToken = ((await response.json()) as Tokens).refreshToken
      secrets.push(refreshToken)
    }
    assert.equal((await call('POST', '/auth/refresh', { refreshToken })).status, 429)
    assert.equal((await call('POST', '/auth/logout', { refreshToken })).status, 204)
  })

  it('hashes passwords with the default cost', async () => {
    const database = openDatabase<Tables>(testDb.url)
    const hashes = await database.kysely.selectFrom('users').select('password_hash').execute()
    await database.close()
    assert.equal(hashes.length, 6)
    for (const { password_hash } of hashes)
      assert.match(password_hash, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$/)
  })

  it('exits with code 0 on SIGTERM', async () => {
    service.removeAllListeners('exit')
    service.kill('SIGTERM')
    assert.deepEqual(await once(service, 'exit'), [0, null])
  })

  it('logs security events and no passwords, tokens or hashes', () => {
    const entries = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const events = entries.map(({ event }) => event).filter((event) => event !== undefined)
    assert.deepEqual(events, [
      'signing-key-created',
      'login-failed',
      'login-succeeded',
      'refresh-token-reused',
      'password-change-failed',
      'token-rejected',
      'password-changed',
      ...Array(10).fill('login-failed'),
      'login-limited',
      'login-succeeded',
      'user-registered',
      'login-succeeded',
      'login-succeeded',
      'session-ended',
      'refresh-limited',
      'logged-out',
    ])
    assert.equal(entries.find(({ event }) => event === 'login-failed').address, '203.0.113.7')
    for (const secret of [...secrets, 'wrong one', 'argon2id']) assert.ok(!log.includes(secret), secret)
  })
})
