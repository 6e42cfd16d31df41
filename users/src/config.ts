import { ConfigError } from '@souk/service-kit/process/config'
import { commonSettings, readServiceSettings } from '@souk/service-kit/process/settings'
import { Type } from 'typebox'
import { LONGEST_ACCESS_TOKEN_SECONDS } from './keys/signing-keys.ts'
import type { Argon2Cost } from './passwords/password-hasher.ts'

export const settings = Type.Object({
  ...commonSettings({ port: 8001, databaseUrl: 'postgres://postgres:admin@localhost:5432/ecommdb' }),
  ACCESS_TOKEN_SECONDS: Type.Integer({
    minimum: 60,
    maximum: LONGEST_ACCESS_TOKEN_SECONDS,
    default: 900,
    description: 'seconds until an access token expires; a logout does not revoke the token',
  }),
  SESSION_DAYS: Type.Integer({
    minimum: 1,
    maximum: 365,
    default: 30,
    description: 'days from a login to the end of its session; a refresh does not extend the session',
  }),
  ARGON2_MEMORY_KIB: Type.Integer({
    minimum: 19_456,
    maximum: 4_194_304,
    default: 47_104,
    description: 'memory that one password hash uses, in KiB',
  }),
  ARGON2_PASSES: Type.Integer({
    minimum: 1,
    maximum: 100,
    default: 1,
    description: 'passes over the memory of one hash; at least 2 if ARGON2_MEMORY_KIB is below 47104',
  }),
  PASSWORD_HASHES_AT_ONCE: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 2,
    description:
      'password hashes computed concurrently for logins and password changes; registrations add at most one more. Each one has its own thread',
  }),
  PASSWORD_HASHES_WAITING: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    default: 64,
    description:
      'maximum number of logins and password changes in the hashing queue; when it is full, the newest request of the address with the most requests in the queue is rejected with 503. A request also gets 503 after 5 seconds in the queue',
  }),
  LOGIN_WINDOW_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 900,
    description:
      'length of the window in which attempts are counted; LOGIN_LIMIT_* and REGISTRATION_LIMIT_ADDRESS apply per window',
  }),
  LOGIN_LIMIT_ACCOUNT_AND_ADDRESS: Type.Integer({
    minimum: 1,
    default: 10,
    description:
      'maximum number of wrong passwords for one account from one address. The same limit, with its own count, applies to wrong current passwords in the password changes of one session',
  }),
  LOGIN_LIMIT_ADDRESS: Type.Integer({
    minimum: 1,
    default: 250,
    description:
      'maximum number of logins from one address, with a right or a wrong password, for all accounts together',
  }),
  LOGIN_LIMIT_ACCOUNT: Type.Integer({
    minimum: 1,
    default: 25,
    description:
      'maximum number of wrong passwords for one account. Addresses that logged in to the account in the last 30 days are not counted',
  }),
  SIGNING_KEYS_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'random secret with which the signing keys in the database are encrypted; without it, they are stored in plain text. The script rotate-key needs the same value',
    }),
  ),
  REGISTRATION_LIMIT_ADDRESS: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'maximum number of registrations from one address, including those with a taken username',
  }),
})

/**
 * Reads the settings of this service from the environment.
 *
 * @throws ConfigError when a setting is invalid
 */
export function readSettings(env?: Record<string, string | undefined>) {
  const config = readServiceSettings(settings, env)
  rejectWeakHashing(hashingCost(config))
  return config
}

export const hashingCost = (settings: { ARGON2_MEMORY_KIB: number; ARGON2_PASSES: number }): Argon2Cost => ({
  memoryKiB: settings.ARGON2_MEMORY_KIB,
  passes: settings.ARGON2_PASSES,
})

/** Rejects a cost that reaches neither of the two minimums of the OWASP password storage cheat sheet. */
function rejectWeakHashing({ memoryKiB, passes }: Argon2Cost): void {
  if (memoryKiB >= 47_104 || (memoryKiB >= 19_456 && passes >= 2)) return
  throw new ConfigError(
    'ARGON2_MEMORY_KIB and ARGON2_PASSES are too low: use at least 47104 with 1 pass, or 19456 with 2',
  )
}
