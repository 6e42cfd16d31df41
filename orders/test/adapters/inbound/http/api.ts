import { randomUUIDv7 } from 'node:crypto'
import type { App } from '@souk/service-kit/http/app'
import { type CheckedInject, checkedInject } from '@souk/service-kit/testing/contract'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { buildApp } from '../../../../src/app.ts'
import type { Ports } from '../../../../src/application/ports.ts'
import { type TestShop, testShop } from '../../../helper.ts'

/** An order id that sorts after every other id. */
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const issuer = await testIssuer()

/** Returns the headers of a logged-in buyer. */
export const buyer = (id: string = randomUUIDv7()) => issuer.as('BUYER', id)
/** Returns the headers of a logged-in seller. */
export const seller = (id: string = randomUUIDv7()) => issuer.as('SELLER', id)

export interface TestApi {
  shop: TestShop
  app: App
  /** Calls the API and checks the response against the contract. */
  call: CheckedInject
  /** Calls `POST /orders` with these lines. */
  place(lines: readonly object[], headers: Record<string, string>): ReturnType<CheckedInject>
}

/** Creates the HTTP API of a test shop. */
export async function testApi(overrides: Partial<Ports> = {}): Promise<TestApi> {
  const shop = testShop(overrides)
  const app = await buildApp(shop.application, { verifyToken: issuer.verifyToken, readiness: {} })
  const call = checkedInject(app, 'orders')
  return {
    shop,
    app,
    call,
    place: (lines, headers) => call({ method: 'POST', url: '/orders', headers, payload: { lines } }),
  }
}
