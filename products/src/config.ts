import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { ConfigError } from '@souk/service-kit/process/config'
import {
  batchSettings,
  commonSettings,
  previousSecret,
  readServiceSettings,
  sharedSecret,
  tokenSettings,
} from '@souk/service-kit/process/settings'
import { Type } from 'typebox'

const PUBLIC_SECRET = 'souk-development-only-service-secret'

export const settings = Type.Object({
  ...commonSettings({
    port: 8002,
    databaseUrl: 'postgres://postgres:admin@localhost:5432/ecommdb',
  }),
  ...tokenSettings,
  SERVICE_TOKEN_SECRET: sharedSecret(
    PUBLIC_SECRET,
    '32 characters or more, the same in orders and products, random in production',
  ),
  SERVICE_TOKEN_PREVIOUS_SECRET: previousSecret(
    PUBLIC_SECRET,
    'the secret that orders may still use while SERVICE_TOKEN_SECRET is rotated; unset it after that',
  ),
  ...batchSettings,
  MAX_PRODUCTS_PER_SELLER: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 10_000,
    description: 'maximum number of products of a seller, disabled ones included',
  }),
  INTERNAL_HOST: Type.String({
    default: '127.0.0.1',
    description:
      'address or host name on which the internal listener accepts requests; only the orders service may reach it. If the name resolves to several replicas, each replica uses its own address',
  }),
  INTERNAL_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 9002,
    description:
      'the port of the internal listener, which receives bookings from the orders service; never publish this port',
  }),
})

/** @throws ConfigError when a setting is not valid */
export const readSettings = (env?: Record<string, string | undefined>) => readServiceSettings(settings, env)

/**
 * Resolves `host` and returns the resolved address that belongs to this machine. A host name may resolve to the
 * addresses of all replicas, but a replica can listen only on its own address.
 *
 * @throws ConfigError when the name does not resolve
 */
export async function ownAddress(host: string, resolve = addressesOf): Promise<string> {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const own = new Set(interfaces.map(({ address }) => address))
  const found = (await resolve(host)).find((address) => own.has(address))
  // If no address belongs to this machine, return `host` unchanged. `listen` accepts 0.0.0.0 and ::, which mean all
  // addresses of this machine, and reports an error for any other address.
  return found ?? host
}

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch((error: Error) => {
    throw new ConfigError(`INTERNAL_HOST: ${error.message}`)
  })
  return found.map(({ address }) => address)
}
