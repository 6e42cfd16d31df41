import { type App, createApp } from '@souk/service-kit/app'
import type { Database } from '@souk/service-kit/database'
import { accessTokenVerifier } from '@souk/service-kit/tokens'
import { signAccessToken } from './access-tokens.ts'
import type { Account } from './account.ts'
import { attemptsStore } from './attempts-store.ts'
import { registerAuthRoutes } from './auth-routes.ts'
import { boundedHasher, type GateLimits, REGISTRATION_GATE } from './gate.ts'
import { createKeyRing, ensureSigningKey } from './key-ring.ts'
import { registerKeysRoutes } from './keys-routes.ts'
import { keysStore } from './keys-store.ts'
import type { Tables } from './migrations.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { toProblem } from './problems.ts'
import { JsonWebKeySetSchema, TokensSchema, UserSchema } from './schemas.ts'
import { sessionsStore } from './sessions-store.ts'
import type { ThrottleLimits } from './throttle.ts'
import { registerUsersRoutes } from './users-routes.ts'
import { usersStore } from './users-store.ts'

export interface UsersDeps {
  /** Migrated. */
  database: Database<Tables>
  hasher: PasswordHasher
  hashing: GateLimits
  /** The gate of new accounts' hashes, where it is not to be the usual one. */
  registering?: GateLimits
  limits: ThrottleLimits
  accessTokenSeconds: number
  sessionDays: number
  /** Milliseconds since 1970. */
  now?: () => number
  logLevel?: string
  trustProxy?: string
  ui?: boolean
}

/** The users service on a migrated database; makes its first signing key there. */
export async function buildApp({ database, hasher, hashing, ...options }: UsersDeps): Promise<App> {
  const { now = Date.now, registering = REGISTRATION_GATE, ...rest } = options
  const { accessTokenSeconds, sessionDays, limits, ...appOptions } = rest
  const keyStore = keysStore(database)
  const madeKey = await ensureSigningKey(keyStore, now())
  const keys = createKeyRing(keyStore, now, (error) =>
    app.log.error({ err: error }, 'the signing keys cannot be read again; the ones known stay in use'),
  )
  const app = await createApp({
    title: 'Souk: users',
    description: 'Accounts, logins and the tokens that all services accept.',
    tags: [
      { name: 'auth', description: 'Sessions and their tokens' },
      { name: 'users', description: 'Accounts' },
    ],
    schemas: [UserSchema, TokensSchema, JsonWebKeySetSchema],
    verifyToken: accessTokenVerifier({ keys: keys.find, now }),
    toProblem,
    readiness: { database: database.ping },
    ...appOptions,
  })
  if (madeKey) app.log.info({ event: 'signing-key-created' }, 'made the first signing key')
  const deps = {
    users: usersStore(database),
    sessions: sessionsStore(database),
    attempts: attemptsStore(database),
    hasher: boundedHasher(hasher, hashing),
    registrationHasher: boundedHasher(hasher, registering),
    limits,
    accessTokenSeconds,
    sessionDays,
    accessTokenFor: (account: Account) => signAccessToken(keys, account, accessTokenSeconds, now()),
    now,
  }
  registerUsersRoutes(app, deps)
  registerAuthRoutes(app, deps)
  registerKeysRoutes(app, keys)
  return app
}
