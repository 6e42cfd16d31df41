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
  /** How long `book` and `release` retry. After that, the recovery worker resumes the order. */
  deadlineMs: number
  /** `false` sends each order in its own call. Default: `true`. */
  batching?: boolean
}

type BookingRequest = XStatic<typeof bookOrders.request>[number]
type BookingResult = XStatic<typeof bookOrders.response>[number]
type ReleaseRequest = XStatic<typeof releaseOrders.request>[number]
type ReleaseResult = XStatic<typeof releaseOrders.response>[number]

const bookings = Schema.Compile(bookOrders.response)
const releases = Schema.Compile(releaseOrders.response)

/**
 * Books and releases units through the internal API of the products service. The order id is the idempotency key, so a
 * failed call is retried until the deadline. Then its outcome is unknown, because only a response with status 200 says
 * whether an order was booked or rejected. Orders that arrive while two calls are in flight form the next batch.
 */
export function httpInventory(options: ProductsClientOptions): Inventory {
  const { batching = true, deadlineMs } = options
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
      return checked<BookingResult>(bookings, orders, response)
    },
  })
  const release = createBatcher<ReleaseRequest, ReleaseResult>({
    name: 'release-calls',
    ...limits,
    run: async (orders) => checked<ReleaseResult>(releases, orders, await post(options, '/releases', orders)),
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

/** The products service responded with 400. One order of the batch may be the cause. */
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
        throw new OutcomeUnknown('The products service returned no result in time.', { cause: error })
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
    // Half of the deadline, to leave time for a retry after a lost response.
    signal: AbortSignal.timeout(Math.ceil(options.deadlineMs / 2)),
  })
  const text = await body.text()
  if (statusCode === 200) return JSON.parse(text)
  if (statusCode === 401) options.serviceToken.rejected(headers.date)
  const message = `${path} responded with ${statusCode}: ${text.slice(0, 500)}`
  throw statusCode === 400 ? new BadRequest(message) : new Error(message)
}

/** Returns the results if they match the contract and are those of `orders`, in the same order. */
function checked<Result extends { orderId: string }>(
  contract: { Check(value: unknown): boolean },
  orders: readonly { orderId: string }[],
  response: unknown,
): readonly Result[] {
  if (!contract.Check(response)) throw new Error('The response of the products service breaks the contract.')
  const results = response as readonly Result[]
  const sameOrders = orders.every(({ orderId }, i) => results[i]?.orderId === orderId)
  if (sameOrders && results.length === orders.length) return results
  throw new Error('The response of the products service does not have one result for each order.')
}
