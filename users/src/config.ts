import { ConfigError } from '@souk/service-kit/process/config'
import { commonSettings, readServiceSettings } from '@souk/service-kit/process/settings'
import { Type } from 'typebox'
import type { Argon2Cost } from './accounts/password-hasher.ts'
import { LONGEST_ACCESS_TOKEN_SECONDS } from './keys/signing-keys.ts'

export const settings = Type.Object({
  ...commonSettings({
    port: 8001,
    databaseUrl: 'postgres://postgres:admin@localhost:5432/ecommdb',
  }),
  ACCESS_TOKEN_SECONDS: Type.Integer({
    minimum: 60,
    maximum: LONGEST_ACCESS_TOKEN_SECONDS,
    default: 900,
    description: 'how long an access token is valid; no logout and no change of role takes effect sooner',
  }),
  SESSION_DAYS: Type.Integer({
    minimum: 1,
    maximum: 365,
    default: 30,
    description: 'days from a login until its refresh tokens expire, however often they are renewed',
  }),
  ARGON2_MEMORY_KIB: Type.Integer({ minimum: 19_456, maximum: 4_194_304, default: 47_104 }),
  ARGON2_PASSES: Type.Integer({ minimum: 1, maximum: 100, default: 1 }),
  PASSWORD_HASHES_AT_ONCE: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 2,
    description:
      'of logins; with the one of registrations below UV_THREADPOOL_SIZE (4 unless set), or hashing holds up everything else',
  }),
  PASSWORD_HASHES_WAITING: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    default: 64,
    description: 'logins that wait for their hash; what comes on top is answered 503',
  }),
  LOGIN_WINDOW_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 900,
    description: 'the time in which the limits below count',
  }),
  LOGIN_LIMIT_ACCOUNT_AND_ADDRESS: Type.Integer({ minimum: 1, default: 10 }),
  LOGIN_LIMIT_ADDRESS: Type.Integer({ minimum: 1, default: 250 }),
  LOGIN_LIMIT_ACCOUNT: Type.Integer({
    minimum: 1,
    default: 25,
    description: 'for addresses that have not logged into the account in the last 30 days',
  }),
  REGISTRATION_LIMIT_ADDRESS: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'registrations from one address, the good ones too',
  }),
})

/**
 * This service's settings.
 *
 * @throws ConfigError when one of them cannot be used
 */
export function readSettings(env?: Record<string, string | undefined>) {
  const config = readServiceSettings(settings, env)
  refuseWeakHashing(hashingCost(config))
  return config
}

export type Settings = ReturnType<typeof readSettings>

export const hashingCost = (settings: { ARGON2_MEMORY_KIB: number; ARGON2_PASSES: number }): Argon2Cost => ({
  memoryKiB: settings.ARGON2_MEMORY_KIB,
  passes: settings.ARGON2_PASSES,
})

/** The two least costly settings of OWASP's password storage cheat sheet that we accept. */
function refuseWeakHashing({ memoryKiB, passes }: Argon2Cost): void {
  if (memoryKiB >= 47_104 || (memoryKiB >= 19_456 && passes >= 2)) return
  throw new ConfigError(
    'ARGON2_MEMORY_KIB and ARGON2_PASSES are too cheap: at least 47104 with 1 pass, or 19456 with 2',
  )
}
