import assert from 'node:assert/strict'
import { type Database, type Engine, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import type { App } from '@souk/service-kit/http/app'
import { type CheckedInject, checkedInject } from '@souk/service-kit/testing/contract'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { argon2Hasher } from '../src/accounts/password-hasher.ts'
import { buildApp, type UsersDeps } from '../src/app.ts'
import { migrations, type Tables } from '../src/database/migrations.ts'
import type { Tokens, User } from '../src/schemas.ts'

/** As cheap as argon2 gets: tests hash often. */
export const CHEAP = { memoryKiB: 8, passes: 1 }
export const PASSWORD = 'nine green lanterns'

/** Limits that no test meets by accident. */
export const WIDE_LIMITS = {
  windowSeconds: 900,
  accountAndAddress: 1000,
  address: 1000,
  account: 1000,
  registrations: 1000,
}

/** A migrated database of a test's own. */
export async function testDatabase(engine: Engine) {
  const place = await createTestDatabase(engine)
  const database = openDatabase<Tables>(place.url)
  await migrate(database, 'users', migrations)
  return {
    database,
    url: place.url,
    drop: async () => {
      await database.close()
      await place.drop()
    },
  }
}

/** The service on this database, with requests for what tests do often. */
export async function startUsers(database: Database<Tables>, deps: Partial<UsersDeps> = {}) {
  const app = await buildApp({
    database,
    hasher: argon2Hasher(CHEAP),
    hashing: { atOnce: 4, waiting: 1000 },
    registering: { atOnce: 4, waiting: 1000 },
    limits: WIDE_LIMITS,
    accessTokenSeconds: 900,
    sessionDays: 30,
    ...deps,
  })
  return { app, ...requests(app) }
}

export type Users = Awaited<ReturnType<typeof startUsers>>

let names = 0
/** A username that no other test of this process has. */
export const newName = () => `someone-${++names}`

const requests = (app: App) => {
  const inject = checkedInject(app, 'users')
  const post = (url: string, payload: object, remoteAddress = '192.0.2.1') =>
    inject({ method: 'POST', url, payload, remoteAddress })
  const login = (username: string, password = PASSWORD, address?: string) =>
    post('/auth/login', { username, password }, address)
  return {
    inject,
    login,
    register: (username: string, password = PASSWORD, role = 'BUYER', address?: string) =>
      post('/users', { username, password, role }, address),
    refresh: (refreshToken: string) => post('/auth/refresh', { refreshToken }),
    logout: (refreshToken: string) => post('/auth/logout', { refreshToken }),
    me: (accessToken: string) => inject({ method: 'GET', url: '/users/me', headers: bearer(accessToken) }),
    changePassword: (accessToken: string, currentPassword: string, newPassword: string) =>
      inject({
        method: 'PUT',
        url: '/users/me/password',
        headers: bearer(accessToken),
        payload: { currentPassword, newPassword },
      }),
    jwks: () => inject({ method: 'GET', url: '/.well-known/jwks.json' }),
    /** A new user. */
    newUser: async (role = 'BUYER'): Promise<User> => {
      const answer = await post('/users', { username: newName(), password: PASSWORD, role })
      assert.equal(answer.statusCode, 201, answer.body)
      return answer.json()
    },
    /** The tokens of a login that succeeds. */
    tokensOf: async (username: string, password = PASSWORD): Promise<Tokens> => {
      const answer = await login(username, password)
      assert.equal(answer.statusCode, 200, answer.body)
      return answer.json()
    },
  }
}

export const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` })

/** A work that waits until it is released. */
export function held() {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return { released, release }
}

/** How many of `answers` had which status. */
export const statuses = (answers: { statusCode: number }[]) => {
  const count: Record<number, number> = {}
  for (const { statusCode } of answers) count[statusCode] = (count[statusCode] ?? 0) + 1
  return count
}

/** Status and code of an answer, the code undefined where it is no problem. */
export const outcome = (answer: Awaited<ReturnType<CheckedInject>>) => [
  answer.statusCode,
  answer.statusCode < 400 ? undefined : answer.json().code,
]
