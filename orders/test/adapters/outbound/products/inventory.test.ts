import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { httpInventory } from '../../../../src/adapters/outbound/products/inventory.ts'
import { productsToken, type ServiceToken } from '../../../../src/adapters/outbound/products/service-token.ts'
import { OutcomeUnknown } from '../../../../src/application/ports.ts'
import { SELLER } from '../../../helper.ts'

interface ReceivedRequest {
  url: string
  authorization: string | undefined
  body: { orderId: string }[]
}
type Responder = (request: ReceivedRequest, response: ServerResponse) => void

/** The default deadline, long enough for a retry on a busy machine. */
const DEADLINE_MS = 2_000
/** The deadline in tests that wait for the deadline to pass. */
const SHORT_DEADLINE_MS = 300
const LINES = [{ productId: 1, quantity: 2 }]
const HOUR_MS = 3_600_000
const SECRET = 'a secret of the tests, 32 characters long'

const FIXED_TOKEN: ServiceToken = { current: async () => 'a-service-token', rejected: () => {} }
const newOrder = () => ({ id: randomUUIDv7(), lines: LINES })

/**
 * Starts a fake products service. Returns a client of this service and the requests that the service received. Each
 * responder handles one request, and the last responder also handles all further requests.
 */
async function inventoryWith(
  t: TestContext,
  responders: Responder[],
  { serviceToken = FIXED_TOKEN, deadlineMs = DEADLINE_MS } = {},
) {
  const requests: ReceivedRequest[] = []
  const server = createServer(async (request, response) => {
    const { url, headers } = request
    const received = {
      url: url!,
      authorization: headers.authorization,
      body: JSON.parse(await text(request)),
    }
    const respond = responders[Math.min(requests.length, responders.length - 1)]!
    requests.push(received)
    respond(received, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { inventory: httpInventory({ baseUrl, serviceToken, deadlineMs }), requests }
}

// Several tests run at the same time, because many of them wait for the deadline of a call.
describe('the client of the products service', { concurrency: 4 }, () => {
  it('sends the order id, the lines with their expected prices, and a service token to /bookings', async (t) => {
    const { inventory, requests } = await inventoryWith(t, [booked])
    const lines = LINES.map((line) => ({ ...line, expectedPrice: { amount: 1999, currency: 'USD' } }))
    const order = { ...newOrder(), lines }
    await inventory.book(order)
    assert.deepEqual(requests, [
      {
        url: '/bookings',
        authorization: 'Bearer a-service-token',
        body: [{ orderId: order.id, lines }],
      },
    ])
  })

  it('returns the booked lines or the rejection from the response', async (t) => {
    const lines = [{ productId: 1, requested: 2, available: 1 }]
    const rejected: Responder = ({ body }, response) =>
      json(response, 200, [
        { orderId: body[0]!.orderId, outcome: 'REJECTED', reason: 'insufficient-stock', lines },
      ])
    const { inventory } = await inventoryWith(t, [booked, rejected])
    const outcome = await inventory.book(newOrder())
    assert.ok('booked' in outcome && outcome.booked[0]?.name === 'Lamp')
    assert.deepEqual(await inventory.book(newOrder()), {
      rejected: { reason: 'insufficient-stock', lines },
    })
  })

  for (const [fault, respond] of [
    ['status 500', status(500)],
    ['status 401', status(401)],
    ['status 409', status(409)],
    ['a closed connection', (_request, response) => void response.destroy()],
    ['a response that is not JSON', (_request, response) => void response.end('<html>')],
    [
      'a response that breaks the contract',
      // Breaks both contracts: a booking needs `lines`, and a release needs the outcome RELEASED.
      ({ body }, response) =>
        json(
          response,
          200,
          body.map(({ orderId }) => ({ orderId, outcome: 'BOOKED' })),
        ),
    ],
    [
      'a result that leaves the order undecided',
      ({ body }, response) =>
        json(
          response,
          200,
          body.map(({ orderId }) => ({ orderId, outcome: 'UNDECIDED' })),
        ),
    ],
    [
      'a response for another order',
      (request, response) => booked({ ...request, body: [{ orderId: randomUUIDv7() }] }, response),
    ],
    ['a redirect', (_request, response) => void response.writeHead(307, { location: '/elsewhere' }).end()],
    ['no response', () => {}],
  ] satisfies [string, Responder][]) {
    it(`repeats the request after ${fault}`, async (t) => {
      const { inventory, requests } = await inventoryWith(t, [respond, booked])
      const outcome = await inventory.book(newOrder())
      assert.ok('booked' in outcome)
      assert.equal(requests.length, 2)
      assert.deepEqual(requests[1], requests[0])
    })

    it(`throws OutcomeUnknown at the deadline when every request ends with ${fault}`, async (t) => {
      const { inventory } = await inventoryWith(t, [respond], { deadlineMs: SHORT_DEADLINE_MS })
      const started = performance.now()
      await assert.rejects(inventory.book(newOrder()), OutcomeUnknown)
      await assert.rejects(inventory.release(randomUUIDv7()), OutcomeUnknown)
      assert.ok(performance.now() - started < 2 * SHORT_DEADLINE_MS + 500)
    })
  }

  it('throws OutcomeUnknown at the deadline, even while the calls of earlier orders are in flight', async (t) => {
    const { inventory } = await inventoryWith(t, [() => {}])
    const orders = [0, 250, 500, 750].map(async (delayMs) => {
      await sleep(delayMs)
      const started = performance.now()
      await assert.rejects(inventory.book(newOrder()), OutcomeUnknown)
      return performance.now() - started
    })
    for (const elapsedMs of await Promise.all(orders))
      assert.ok(elapsedMs < DEADLINE_MS + 300, `an order waited ${elapsedMs} ms`)
  })

  for (const code of [400, 500]) {
    it(`books all orders except the one for which the products service responds ${code}`, async (t) => {
      const poison = newOrder()
      const respond: Responder = (request, response) =>
        request.body.some(({ orderId }) => orderId === poison.id)
          ? status(code)(request, response)
          : booked(request, response)
      const { inventory, requests } = await inventoryWith(t, [respond])
      const orders = [...Array.from({ length: 9 }, newOrder), poison, ...Array.from({ length: 9 }, newOrder)]
      const outcomes = await Promise.allSettled(orders.map((order) => inventory.book(order)))
      assert.deepEqual(
        orders.filter((_, i) => outcomes[i]!.status === 'rejected'),
        [poison],
      )
      assert.equal(requests[0]!.body.length, orders.length)
    })
  }

  it('does not send the service token to the target of a redirect', async (t) => {
    const redirect: Responder = (_request, response) =>
      void response.writeHead(307, { location: '/elsewhere' }).end()
    const { inventory, requests } = await inventoryWith(t, [redirect], { deadlineMs: SHORT_DEADLINE_MS })
    await assert.rejects(inventory.book(newOrder()), OutcomeUnknown)
    assert.ok(requests.every(({ url }) => url === '/bookings'))
  })

  it('throws OutcomeUnknown when no connection can be opened', async () => {
    const unavailable = httpInventory({
      baseUrl: 'http://127.0.0.1:1',
      serviceToken: FIXED_TOKEN,
      deadlineMs: 200,
    })
    await assert.rejects(unavailable.book(newOrder()), OutcomeUnknown)
  })
})

// These tests replace the clock of the process, so they run one after the other.
describe('the service token', () => {
  for (const [difference, offsetMs] of [
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ] as const) {
    it(`is rejected only once when the clock of the products service is an hour ${difference}`, async (t) => {
      const productsNow = () => performance.timeOrigin + performance.now() + offsetMs
      const verify = serviceTokens(SECRET).verifierFor('products')
      const respond: Responder = (request, response) => {
        const token = request.authorization!.slice('Bearer '.length)
        void isAccepted(t, productsNow(), verify, token).then((accepted) => {
          response.setHeader('date', new Date(productsNow()).toUTCString())
          return (accepted ? booked : status(401))(request, response)
        })
      }
      const { inventory, requests } = await inventoryWith(t, [respond], {
        serviceToken: productsToken(SECRET),
      })
      await inventory.book(newOrder())
      assert.equal(requests.length, 2)
      await inventory.book(newOrder())
      assert.equal(requests.length, 3)
    })
  }
})

const booked: Responder = ({ url, body }, response) => {
  const price = { amount: 1999, currency: 'USD' }
  const lines = LINES.map((line) => ({ ...line, sellerId: SELLER, name: 'Lamp', price }))
  const results = body.map(({ orderId }) =>
    url === '/releases' ? { orderId, outcome: 'RELEASED' } : { orderId, outcome: 'BOOKED', lines },
  )
  json(response, 200, results)
}

function status(code: number): Responder {
  return (_request, response) => json(response, code, { code: 'no', title: 'no' })
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Returns whether `verify` accepts the token when the clock of the process shows `now`. */
async function isAccepted(t: TestContext, now: number, verify: TokenVerifier, token: string) {
  t.mock.timers.enable({ apis: ['Date'], now })
  try {
    return await verify(token).then(
      () => true,
      () => false,
    )
  } finally {
    t.mock.timers.reset()
  }
}
