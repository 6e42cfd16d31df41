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
   * How long `book` and `release` wait, including retries. Then they throw OutcomeUnknown. A call to the products service
   * takes up to half of `deadlineMs`.
   */
  deadlineMs: number
  /** `false` sends each order in a separate call. Default: `true`. */
  batching?: boolean
}

type BookingRequest = XStatic<typeof bookOrders.request>[number]
type BookingResult = XStatic<typeof bookOrders.response>[number]
type BookingDecision = Exclude<BookingResult, { outcome: 'UNDECIDED' }>
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
  // The batcher then splits the batch until only the order that causes the error fails.
  const isPoison = (error: unknown) => error instanceof CallRejected
  const limits = { ...BATCH_LIMITS, maxWaitMs: deadlineMs, concurrency: 2, batching, isPoison }
  const book = createBatcher<BookingRequest, BookingDecision>({
    name: 'booking-calls',
    ...limits,
    weigh: ({ lines }) => lines.length,
    run: async (orders) => {
      failpoint('before-call')
      const response = await post(options, '/bookings', orders)
      failpoint('after-call')
      const results = checkResponse<BookingResult>(bookings, orders, response)
      return results.map((result) => (result.outcome === 'UNDECIDED' ? new Error(UNDECIDED) : result))
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
      const requested = { orderId: id, lines: [...lines] }
      const [result] = await untilDeadline(deadlineMs, () => book([requested]))
      return toOutcome(result!)
    },
    release: async (orderId) => {
      await untilDeadline(deadlineMs, () => release([{ orderId }]))
    },
  }
}

/**
 * The products service responded with status 400 or 500: one order of the batch may be invalid, or may cause an
 * unexpected error. Any other failure, such as a timeout or 503, concerns the whole service.
 */
class CallRejected extends Error {}

const UNDECIDED = 'The products service could not process the order.'

function toOutcome(result: BookingDecision): BookingOutcome {
  if (result.outcome === 'BOOKED') return { booked: result.lines }
  return { rejected: { reason: result.reason, lines: result.lines } }
}

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 400

/**
 * Repeats `attempt` until it succeeds. At the deadline, the attempt in flight continues, but its result is discarded.
 *
 * @throws OutcomeUnknown at the deadline
 */
async function untilDeadline<T>(deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
  let cause: unknown
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      deadline.reject(new OutcomeUnknown('No call to the products service succeeded in time.', { cause })),
    deadlineMs,
  )
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        return await Promise.race([attempt(), deadline.promise])
      } catch (error) {
        if (error instanceof OutcomeUnknown) throw error
        cause = error
      }
      // Random pauses spread the retries of orders that failed at the same time.
      await Promise.race([sleep(pause * (0.5 + Math.random())), deadline.promise])
    }
  } finally {
    clearTimeout(timer)
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
  throw statusCode === 400 || statusCode === 500 ? new CallRejected(message) : new Error(message)
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
