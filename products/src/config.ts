import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { ConfigError } from '@souk/service-kit/process/config'
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
      'the address of the internal listener, which only the orders service may reach; or a host name, which may resolve to all replicas',
  }),
  INTERNAL_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 9002,
    description: 'port of the internal listener, where orders books units; never publish it',
  }),
})

/** @throws ConfigError when a setting is not valid */
export const readSettings = (env?: Record<string, string | undefined>) => readServiceSettings(settings, env)

/**
 * Resolves `host` to an address of this machine. A name may resolve to the addresses of all replicas, and a replica
 * can listen only on its own.
 *
 * @throws ConfigError when the name does not resolve
 */
export async function ownAddress(host: string, resolve = addressesOf): Promise<string> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = (await resolve(host)).find((address) => own.some((one) => one.address === address))
  // Without a match `listen` gets the host as it is: it accepts 0.0.0.0 and `::`, and reports an error for others.
  return found ?? host
}

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch((error: Error) => {
    throw new ConfigError(`INTERNAL_HOST: ${error.message}`)
  })
  return found.map(({ address }) => address)
}
