import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher } from '@souk/service-kit/batching/batcher'
import { failpoint } from '@souk/service-kit/process/failpoint'
import Schema, { type XStatic } from 'typebox/schema'
import { request } from 'undici'
import { type Inventory, OutcomeUnknown } from '../../../application/ports.ts'
import type { BookingOutcome } from '../../../domain/order.ts'
import { BATCH_LIMITS } from '../batch-limits.ts'
import { bookOrders, releaseOrders } from './products-contract.gen.ts'
import type { ServiceToken } from './service-token.ts'

export interface ProductsClientOptions {
  /** The URL of the internal API of the products service. */
  baseUrl: string
  serviceToken: ServiceToken
  /**
   * How long `book` and `release` may start new attempts. They throw OutcomeUnknown if the last attempt fails. The last
   * attempt may end later: it waits up to `deadlineMs` for a batch, and its call takes up to half of `deadlineMs`.
   */
  deadlineMs: number
  /** `false` sends each order in a separate call. Default: `true`. */
  batching?: boolean
}

type BookingRequest = XStatic<typeof bookOrders.request>[number]
type BookingResult = XStatic<typeof bookOrders.response>[number]
type ReleaseRequest = XStatic<typeof releaseOrders.request>[number]
type ReleaseResult = XStatic<typeof releaseOrders.response>[number]

const bookings = Schema.Compile(bookOrders.response)
const releases = Schema.Compile(releaseOrders.response)

/**
 * Creates an Inventory that calls the internal API of the products service. The order id is the idempotency key, so a
 * failed call can be retried safely. While two calls are in flight, further orders wait. The next call sends these
 * orders together.
 */
export function httpInventory(options: ProductsClientOptions): Inventory {
  const { batching = true, deadlineMs } = options
  // After a response with status 400, the batcher splits the batch until only the order that causes the error fails.
  const isPoison = (error: unknown) => error instanceof BadRequest
  const limits = { ...BATCH_LIMITS, maxWaitMs: deadlineMs, concurrency: 2, batching, isPoison }
  const book = createBatcher<BookingRequest, BookingResult>({
    name: 'booking-calls',
    ...limits,
    weigh: ({ lines }) => lines.length,
    run: async (orders) => {
      failpoint('before-call')
      const response = await post(options, '/bookings', orders)
      failpoint('after-call')
      return checkResponse<BookingResult>(bookings, orders, response)
    },
  })
  const release = createBatcher<ReleaseRequest, ReleaseResult>({
    name: 'release-calls',
    ...limits,
    run: async (orders) =>
      checkResponse<ReleaseResult>(releases, orders, await post(options, '/releases', orders)),
  })
  return {
    book: async ({ id, lines }) => {
      const requested = lines.map(({ productId, quantity }) => ({ productId, quantity }))
      const [result] = await untilDeadline(deadlineMs, () => book([{ orderId: id, lines: requested }]))
      return toOutcome(result!)
    },
    release: async (orderId) => {
      await untilDeadline(deadlineMs, () => release([{ orderId }]))
    },
  }
}

/** The products service responded with status 400: one order of the batch may be invalid. */
class BadRequest extends Error {}

function toOutcome(result: BookingResult): BookingOutcome {
  if (result.outcome === 'BOOKED') return { booked: result.lines }
  return { rejected: { reason: result.reason, lines: result.lines } }
}

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 400

async function untilDeadline<T>(deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await attempt()
    } catch (error) {
      // Random pauses spread the retries of orders that failed at the same time.
      const wait = pause * (0.5 + Math.random())
      if (performance.now() + wait >= deadline) {
        throw new OutcomeUnknown('No call to the products service succeeded in time.', { cause: error })
      }
      await sleep(wait)
    }
  }
}

async function post(options: ProductsClientOptions, path: string, orders: unknown): Promise<unknown> {
  // `request` does not follow redirects, so the service token never reaches another host.
  const { statusCode, headers, body } = await request(new URL(path, options.baseUrl), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await options.serviceToken.current()}`,
    },
    body: JSON.stringify(orders),
    // Half of `deadlineMs` leaves time for a retry after a lost response.
    signal: AbortSignal.timeout(Math.ceil(options.deadlineMs / 2)),
  })
  const text = await body.text()
  if (statusCode === 200) return JSON.parse(text)
  if (statusCode === 401) options.serviceToken.rejected(headers.date)
  const message = `${path} responded with ${statusCode}: ${text.slice(0, 500)}`
  throw statusCode === 400 ? new BadRequest(message) : new Error(message)
}

/**
 * Returns the response if it matches the contract and has one result for each order, in the sequence of `orders`.
 * Throws otherwise.
 */
function checkResponse<Result extends { orderId: string }>(
  contract: { Check(value: unknown): boolean },
  orders: readonly { orderId: string }[],
  response: unknown,
): readonly Result[] {
  if (!contract.Check(response)) throw new Error('The response of the products service breaks the contract.')
  const results = response as readonly Result[]
  const sameOrders = orders.every(({ orderId }, i) => results[i]?.orderId === orderId)
  if (sameOrders && results.length === orders.length) return results
  throw new Error('The products service did not return one result for each order.')
}
