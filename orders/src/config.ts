import {
  batchSettings,
  commonSettings,
  readServiceSettings,
  serviceTokenSettings,
  tokenSettings,
} from '@souk/service-kit/process/settings'
import { Type } from 'typebox'

export const settings = Type.Object({
  ...commonSettings(8003),
  ...tokenSettings,
  ...serviceTokenSettings,
  ...batchSettings,
  PRODUCTS_INTERNAL_URL: Type.String({
    default: 'http://localhost:9002',
    pattern: '^https?://',
    description: 'the internal listener of the products service',
  }),
  BOOKING_DEADLINE_MS: Type.Integer({ minimum: 100, maximum: 4_000, default: 2_500 }),
  RECOVERY_PAUSE_MS: Type.Integer({ minimum: 10, maximum: 10_000, default: 1_000 }),
})

/** @throws ConfigError when one of them cannot be used */
export const readSettings = (env?: Record<string, string | undefined>) => readServiceSettings(settings, env)
