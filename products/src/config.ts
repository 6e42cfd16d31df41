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
    port: 8002,
    databaseUrl: 'postgres://postgres:admin@localhost:5432/ecommdb',
  }),
  ...tokenSettings,
  SERVICE_TOKEN_SECRET: sharedSecret(
    'souk-development-only-service-secret',
    '32 characters or more, the same in orders and products, random in production',
  ),
  ...batchSettings,
  INTERNAL_HOST: Type.String({
    default: '127.0.0.1',
    description:
      'the address of the internal listener, one that only the orders service reaches; or a name, also that of all replicas',
  }),
  INTERNAL_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 9002 }),
})

/** @throws ConfigError when one of them cannot be used */
export const readSettings = (env?: Record<string, string | undefined>) => readServiceSettings(settings, env)
