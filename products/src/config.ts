import {
  batchSettings,
  commonSettings,
  readServiceSettings,
  serviceTokenSettings,
  tokenSettings,
} from '@souk/service-kit/process/settings'
import { Type } from 'typebox'

export const settings = Type.Object({
  ...commonSettings(8002),
  ...tokenSettings,
  ...serviceTokenSettings,
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
