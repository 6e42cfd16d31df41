import assert from 'node:assert/strict'
import { it } from 'node:test'
import { contractChecker, readContract } from '@souk/service-kit/testing/contract'
import fc from 'fast-check'
import { createProduct, placeOrder } from '../../support/client.ts'
import { OneConnection } from '../../support/fuzz/connection.ts'
import { anyRequest, type FuzzRequest, type KnownValues } from '../../support/fuzz/requests.ts'
import type { SystemUnderTest } from '../../support/system.ts'

/** At most 10 minutes, because the access tokens expire after 15. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 15)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const REQUESTS_PER_CONNECTION = 5

/**
 * Sends random requests to every operation of the contract, several on each connection. `FUZZ_SEED` repeats a run, and
 * `FUZZ_SECONDS` sets its length.
 */
export function fuzzSuite(system: () => SystemUnderTest): void {
  it(`every response to random requests is below 500 and in the contract, and leaves the connection usable (FUZZ_SEED=${SEED})`, async () => {
    const contract = readContract('openapi')
    const check = contractChecker(contract)
    const { shop } = system()
    const counts: Record<number, number> = {}

    const checkOnOneConnection = async (requests: readonly FuzzRequest[]) => {
      const connection = new OneConnection(shop.url)
      try {
        for (const request of requests) {
          const { status, contentType, body } = await connection.send(request)
          counts[status] = (counts[status] ?? 0) + 1
          assert.ok(status < 500, `${request.method} ${request.path} -> ${status}: ${body}`)
          check({ method: request.method, path: request.path, status, contentType, body })
        }
      } finally {
        connection.close()
      }
    }
    const requests = fc.array(anyRequest(contract, await knownValues(system())), {
      minLength: 1,
      maxLength: REQUESTS_PER_CONNECTION,
    })
    await fc.assert(fc.asyncProperty(requests, checkOnOneConnection), {
      seed: SEED,
      numRuns: Number.MAX_SAFE_INTEGER,
      interruptAfterTimeLimit: SECONDS * 1_000,
    })
    console.log(`Responses by status: ${JSON.stringify(counts)}`)
    for (const status of [200, 201, 400, 401, 403, 404])
      assert.ok(counts[status], `no response has the status ${status}`)
  })
}

async function knownValues({ shop }: SystemUnderTest): Promise<KnownValues> {
  const [buyer, seller] = await Promise.all([shop.newBuyer(), shop.newSeller()])
  const products = [await createProduct(seller, 1_000), await createProduct(seller, 1), 1]
  const orders: string[] = []
  for (const productId of products) orders.push((await placeOrder(buyer, productId)).id)
  return {
    tokens: { BUYER: buyer.accessToken, SELLER: seller.accessToken },
    ids: { products, orders: [...orders, orders[0]!.toUpperCase()], sellers: [seller.id] },
  }
}
