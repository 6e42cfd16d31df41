import assert from 'node:assert/strict'
import {
  type Database,
  type DatabaseOptions,
  type Engine,
  openDatabase,
} from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import type { App } from '@souk/service-kit/http/app'
import { type CheckedInject, checkedInject } from '@souk/service-kit/testing/contract'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import type { User } from '../src/accounts/account-schemas.ts'
import { buildApp, type UsersDeps } from '../src/app.ts'
import { migrations } from '../src/database/migrations.ts'
import type { Tables } from '../src/database/tables.ts'
import { argon2Hasher } from '../src/passwords/password-hasher.ts'
import { strength } from '../src/passwords/password-worker.ts'
import type { Tokens } from '../src/sessions/session-schemas.ts'

/** The lowest cost that Argon2 allows, because tests hash many passwords. */
export const CHEAP = { memoryKiB: 8, passes: 1 }
export const PASSWORD = 'nine green lanterns'

/** Limits so high that no test reaches them. Tests of the limits set lower limits. */
export const WIDE_LIMITS = {
  windowSeconds: 900,
  accountAndAddress: 1000,
  address: 1000,
  account: 1000,
  registrations: 1000,
}

/** How long to wait for a connection, a lock or a password hash. Long enough for concurrent requests on a busy machine. */
const WAIT_MS = 60_000

/** Creates a database with the tables of the users service. */
export async function testDatabase(engine: Engine, onStatement?: DatabaseOptions['onStatement']) {
  const testDb = await createTestDatabase(engine)
  const database = openDatabase<Tables>(testDb.url, { waitMs: WAIT_MS, ...(onStatement && { onStatement }) })
  await migrate(database, 'users', migrations)
  return {
    database,
    url: testDb.url,
    drop: async () => {
      await database.close()
      await testDb.drop()
    },
  }
}

export type TestUsersDatabase = Awaited<ReturnType<typeof testDatabase>>

/** Builds the service on this database. Returns the app and functions that send common requests to it. */
export async function startUsers(database: Database<Tables>, deps: Partial<UsersDeps> = {}) {
  const app = await buildApp({
    database,
    hasher: argon2Hasher(CHEAP),
    strength: (...args) => strength(args),
    hashing: { atOnce: 4, waiting: 1000, waitMs: WAIT_MS },
    registrationHashing: { atOnce: 4, waiting: 1000, waitMs: WAIT_MS },
    limits: WIDE_LIMITS,
    accessTokenSeconds: 900,
    sessionDays: 30,
    ...deps,
  })
  return { app, ...requests(app) }
}

export type Users = Awaited<ReturnType<typeof startUsers>>

/** Builds the service on a new database. */
export async function openUsers(engine: Engine, deps: Partial<UsersDeps> = {}) {
  const { database, drop } = await testDatabase(engine)
  const users = await startUsers(database, deps)
  return {
    ...users,
    database,
    close: async () => {
      await users.app.close()
      await drop()
    },
  }
}

export type OpenUsers = Awaited<ReturnType<typeof openUsers>>

let names = 0
/** Returns a username that no other test of this process uses. */
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
    sessions: (accessToken: string) =>
      inject({ method: 'GET', url: '/auth/sessions', headers: bearer(accessToken) }),
    endSession: (accessToken: string, id: string) =>
      inject({ method: 'DELETE', url: `/auth/sessions/${id}`, headers: bearer(accessToken) }),
    endOtherSessions: (accessToken: string) =>
      inject({ method: 'DELETE', url: '/auth/sessions', headers: bearer(accessToken) }),
    changePassword: (accessToken: string, currentPassword: string, newPassword: string) =>
      inject({
        method: 'PUT',
        url: '/users/me/password',
        headers: bearer(accessToken),
        payload: { currentPassword, newPassword },
      }),
    jwks: () => inject({ method: 'GET', url: '/.well-known/jwks.json' }),
    /** Registers a user and returns the user. Throws if the registration fails. */
    newUser: async (role = 'BUYER'): Promise<User> => {
      const response = await post('/users', { username: newName(), password: PASSWORD, role })
      assert.equal(response.statusCode, 201, response.body)
      return response.json()
    },
    /** Logs in and returns the tokens. Throws if the login fails. */
    tokensOf: async (username: string, password = PASSWORD): Promise<Tokens> => {
      const response = await login(username, password)
      assert.equal(response.statusCode, 200, response.body)
      return response.json()
    },
  }
}

export const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` })

/** Returns the number of responses with each status. */
export const statuses = (responses: { statusCode: number }[]) => {
  const count: Record<number, number> = {}
  for (const { statusCode } of responses) count[statusCode] = (count[statusCode] ?? 0) + 1
  return count
}

/** Returns the status of a response, and the `code` of the body if the response is an error. */
export const outcome = (response: Awaited<ReturnType<CheckedInject>>) => [
  response.statusCode,
  response.statusCode < 400 ? undefined : response.json().code,
]
