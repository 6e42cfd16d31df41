import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createTestDatabase, type TestDatabase } from '@souk/service-kit/testing/engines'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CREDENTIALS = { username: 'user-1', password: 'password' }
const FLOODING_ADDRESSES = ['1', '2', '3', '4', '5', '6'].map((i) => `203.0.113.${i}`)
const CONNECTIONS_PER_ADDRESS = 12
const FLOOD_PAUSE_MS = 200
const HONEST_LOGINS = 5
/** The limit for a login during the flood. On a busy machine, the limit is a multiple of the slowest login without it. */
const MOST_MS = 2_000
const MOST_TIMES_SLOWER = 15

describe('six addresses that flood the login with right and wrong passwords', () => {
  let testDb: TestDatabase
  let service: ChildProcess
  let base: string

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
        // Otherwise the flood would soon be rejected with 429, which costs no hash.
        LOGIN_LIMIT_ADDRESS: '1000000',
        LOGIN_LIMIT_ACCOUNT: '1000000',
        LOGIN_LIMIT_ACCOUNT_AND_ADDRESS: '1000000',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    base = await new Promise<string>((resolve) => {
      let log = ''
      service.stdout!.on('data', (chunk) => {
        log = `${log}${chunk}`.slice(-10_000)
        const [, address] = /Server listening at (http:[^"]+)/.exec(log) ?? []
        if (address) resolve(address)
      })
    })
  })
  after(async () => {
    service.kill('SIGKILL')
    await testDb.drop()
  })

  const login = (address: string, credentials: object, signal?: AbortSignal) =>
    fetch(`${base}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      body: JSON.stringify(credentials),
      signal: signal ?? null,
    })

  it('do not prevent a user at another address from logging in within 2 seconds', async (test) => {
    const timed = async (work: () => Promise<Response>) => {
      const start = performance.now()
      let response = await work()
      while (response.status === 503) response = await work()
      assert.equal(response.status, 200)
      const body = (await response.json()) as { accessToken: string }
      return { ms: Math.round(performance.now() - start), body }
    }
    const honestLogin = () => timed(() => login('198.51.100.1', CREDENTIALS))
    await honestLogin() // The first login takes longer, because it loads code.
    const alone = [await honestLogin(), await honestLogin()]
    const flood = new AbortController()
    const statuses: Record<number, number> = {}
    const sendUntilAborted = async (address: string, password: string) => {
      while (!flood.signal.aborted) {
        const response = await login(address, { ...CREDENTIALS, password }, flood.signal)
        statuses[response.status] = (statuses[response.status] ?? 0) + 1
        await response.text()
        // Without a pause, this process would be too busy to measure the time of the other logins.
        await sleep(FLOOD_PAUSE_MS)
      }
    }
    const senders = FLOODING_ADDRESSES.flatMap((address) =>
      Array.from({ length: CONNECTIONS_PER_ADDRESS }, (_, i) =>
        sendUntilAborted(address, i % 2 ? 'wrong' : CREDENTIALS.password).catch(() => {}),
      ),
    )
    await sleep(1_000)
    const times: number[] = []
    const reads: number[] = []
    for (let i = 0; i < HONEST_LOGINS; i++) {
      const { ms, body } = await honestLogin()
      times.push(ms)
      const headers = { authorization: `Bearer ${body.accessToken}` }
      reads.push((await timed(() => fetch(`${base}/users/me`, { headers }))).ms)
    }
    flood.abort()
    await Promise.all(senders)
    // The machine may have become busier during the flood.
    alone.push(await honestLogin(), await honestLogin())
    const withoutFlood = Math.max(...alone.map(({ ms }) => ms))
    test.diagnostic(`a login without the flood: ${withoutFlood} ms`)
    test.diagnostic(`logins: ${times.join(', ')} ms; reads: ${reads.join(', ')} ms`)
    test.diagnostic(`the flood received ${JSON.stringify(statuses)}`)
    const limit = Math.max(MOST_MS, MOST_TIMES_SLOWER * withoutFlood)
    assert.ok(Math.max(...times) < limit, `the logins took ${times.join(', ')} ms`)
  })
})
