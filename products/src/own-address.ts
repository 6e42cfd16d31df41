import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { ConfigError } from '@souk/service-kit/process/config'

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch((error: Error) => {
    throw new ConfigError(`INTERNAL_HOST: ${error.message}`)
  })
  return found.map(({ address }) => address)
}

/**
 * The one of `host`'s addresses that is this machine's own: a name may stand for all replicas, and each of them can
 * listen at its own address alone.
 *
 * @throws ConfigError when nothing is known by that name
 */
export async function ownAddress(host: string, find = addressesOf): Promise<string> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = (await find(host)).find((address) => own.some((one) => one.address === address))
  // What is none of ours is left to `listen`: it takes 0.0.0.0 and `::`, and says what is wrong with others.
  return found ?? host
}
