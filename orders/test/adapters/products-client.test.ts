import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { httpInventory } from '../../src/adapters/outbound/products/inventory.ts'
import { productsToken, type ServiceToken } from '../../src/adapters/outbound/products/service-token.ts'
import { OutcomeUnknown } from '../../src/application/ports.ts'
import { SELLER } from '../helper.ts'

type Answer = (request: { url: string; body: { orderId: string }[] }, response: ServerResponse) => void

const DEADLINE_MS = 600
const LINES = [{ productId: 1, quantity: 2 }]
const HOUR_MS = 3_600_000
const SECRET = 'a secret of the tests, 32 characters long'

const tokenOf = (token: string): ServiceToken => ({ current: async () => token, refused: () => {} })

/** A stand-in for the network and its ill will: answers as each test says. The true service is met in e2e. */
describe('the client of the products service', () => {
  let server: Server
  let baseUrl: string
  let answers: Answer[] = []
  let requests: { url: string; authorization: string | undefined; body: unknown }[] = []

  before(async () => {
    server = createServer(async (request, response) => {
      const body = JSON.parse(await textOf(request))
      requests.push({ url: request.url!, authorization: request.headers.authorization, body })
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      answer({ url: request.url!, body }, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const inventoryThatMeets = (...given: Answer[]) => {
    answers = given
    requests = []
    return httpInventory({ baseUrl, serviceToken: tokenOf('a-service-token'), deadlineMs: DEADLINE_MS })
  }
  const newOrder = () => ({ id: randomUUIDv7(), lines: LINES })

  it('asks for the order by its id, with a service token', async () => {
    const order = newOrder()
    await inventoryThatMeets(booked).book(order)
    assert.deepEqual(requests, [
      {
        url: '/bookings',
        authorization: 'Bearer a-service-token',
        body: [{ orderId: order.id, lines: LINES }],
      },
    ])
  })

  it('understands a booking and a rejection', async () => {
    const outcome = await inventoryThatMeets(booked).book(newOrder())
    assert.ok('booked' in outcome && outcome.booked[0]?.name === 'Lamp')
    const lines = [{ productId: 1, requested: 2, available: 1 }]
    const refused: Answer = ({ body }, response) =>
      json(response, 200, [
        { orderId: body[0]!.orderId, outcome: 'REJECTED', reason: 'insufficient-stock', lines },
      ])
    assert.deepEqual(await inventoryThatMeets(refused).book(newOrder()), {
      rejected: { reason: 'insufficient-stock', lines },
    })
  })

  for (const [what, fault] of [
    ['an error', status(500)],
    ['a refusal of the token', status(401)],
    ['a 4xx, which is no rejection', status(409)],
    ['a cut connection', (_request, response) => void response.destroy()],
    ['text that is no JSON', (_request, response) => void response.end('<html>')],
    [
      'an answer that breaks the contract',
      // A booking without lines for an order, and no answer at all to a release.
      ({ body }, response) =>
        json(
          response,
          200,
          body.map(({ orderId }) => ({ orderId, outcome: 'BOOKED' })),
        ),
    ],
    [
      'an answer for another order',
      ({ url }, response) => booked({ url, body: [{ orderId: randomUUIDv7() }] }, response),
    ],
    ['a redirect', (_request, response) => void response.writeHead(307, { location: '/elsewhere' }).end()],
    ['an answer that is late', () => {}],
  ] satisfies [string, Answer][]) {
    it(`asks again for the same order after ${what}`, async () => {
      const order = newOrder()
      const outcome = await inventoryThatMeets(fault, booked).book(order)
      assert.ok('booked' in outcome)
      assert.equal(requests.length, 2)
      assert.deepEqual(requests[1], requests[0])
    })

    it(`never takes ${what} for a rejection, and gives up at its deadline`, async () => {
      const started = performance.now()
      await assert.rejects(inventoryThatMeets(fault).book(newOrder()), OutcomeUnknown)
      await assert.rejects(inventoryThatMeets(fault).release(randomUUIDv7()), OutcomeUnknown)
      assert.ok(performance.now() - started < 2 * DEADLINE_MS + 500)
    })
  }

  for (const [what, offMs] of [
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ] as const) {
    it(`books where the clock is an hour ${what} of its own, and is refused once for it`, async (t) => {
      const atProducts = () => performance.timeOrigin + performance.now() + offMs
      const verify = serviceTokens(SECRET).verifierFor('products')
      const answer: Answer = ({ url, body }, response) => {
        const token = requests.at(-1)!.authorization!.slice('Bearer '.length)
        void acceptedAt(t, atProducts(), verify, token).then((accepted) => {
          response.setHeader('date', new Date(atProducts()).toUTCString())
          return (accepted ? booked : status(401))({ url, body }, response)
        })
      }
      inventoryThatMeets(answer)
      const inventory = httpInventory({
        baseUrl,
        serviceToken: productsToken(SECRET),
        deadlineMs: DEADLINE_MS,
      })
      await inventory.book(newOrder())
      assert.equal(requests.length, 2)
      await inventory.book(newOrder())
      assert.equal(requests.length, 3)
    })
  }

  it('does not follow a redirect with its token', async () => {
    const redirect: Answer = (_request, response) =>
      void response.writeHead(307, { location: '/elsewhere' }).end()
    await assert.rejects(inventoryThatMeets(redirect).book(newOrder()), OutcomeUnknown)
    assert.ok(requests.every(({ url }) => url === '/bookings'))
  })

  it('takes no connection at all for an unknown outcome', async () => {
    const nowhere = httpInventory({
      baseUrl: 'http://127.0.0.1:1',
      serviceToken: tokenOf('t'),
      deadlineMs: 200,
    })
    await assert.rejects(nowhere.book(newOrder()), OutcomeUnknown)
  })
})

const booked: Answer = ({ url, body }, response) => {
  const price = { amount: 1999, currency: 'USD' }
  const results = body.map(({ orderId }) =>
    url === '/releases'
      ? { orderId, outcome: 'RELEASED' }
      : {
          orderId,
          outcome: 'BOOKED',
          lines: LINES.map((line) => ({ ...line, sellerId: SELLER, name: 'Lamp', price })),
        },
  )
  json(response, 200, results)
}

function status(code: number): Answer {
  return (_request, response) => json(response, code, { code: 'no', title: 'no' })
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

/** Whether the token is accepted by a host whose clock shows `at`. */
async function acceptedAt(t: TestContext, at: number, verify: TokenVerifier, token: string) {
  t.mock.timers.enable({ apis: ['Date'], now: at })
  try {
    return await verify(token).then(
      () => true,
      () => false,
    )
  } finally {
    t.mock.timers.reset()
  }
}
