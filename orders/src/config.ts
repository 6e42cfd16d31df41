import {
  batchSettings,
  commonSettings,
  readServiceSettings,
  sharedSecret,
  tokenSettings,
} from '@souk/service-kit/process/settings'
import { Type } from 'typebox'

export const settings = Type.Object({
  ...commonSettings({
    port: 8003,
    databaseUrl: 'postgres://postgres:admin@localhost:5432/ecommdb',
  }),
  ...tokenSettings,
  SERVICE_TOKEN_SECRET: sharedSecret(
    'souk-development-only-service-secret',
    '32 characters or more, the same in orders and products; random in production',
  ),
  ...batchSettings,
  PRODUCTS_INTERNAL_URL: Type.String({
    default: 'http://localhost:9002',
    pattern: '^https?://',
    description: 'the URL of the internal API of the products service',
  }),
  BOOKING_DEADLINE_MS: Type.Integer({
    minimum: 100,
    maximum: 4_000,
    default: 2_500,
    description:
      'how long a request waits until the products service has booked or released an order, including retries. After ' +
      'this time, the response is 202 (accepted, but not completed)',
  }),
  IDEMPOTENCY_KEY_HOURS: Type.Integer({
    minimum: 24,
    maximum: 8_760,
    default: 168,
    description:
      'how long an Idempotency-Key belongs to its order. After this time, a buyer can use the key for a new order',
  }),
  REJECTED_ORDER_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3_650,
    default: 30,
    description:
      'the age at which rejected orders are deleted, but not before their IDEMPOTENCY_KEY_HOURS have passed',
  }),
  RECOVERY_PAUSE_MS: Type.Integer({
    minimum: 10,
    maximum: 10_000,
    default: 1_000,
    description:
      'the pause between two rounds of the recovery worker, which resumes PENDING and CANCELLING orders',
  }),
})

/** @throws ConfigError for a setting that is missing or invalid */
export const readSettings = (env?: Record<string, string | undefined>) => readServiceSettings(settings, env)
