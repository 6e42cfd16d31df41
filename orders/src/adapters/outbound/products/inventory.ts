import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher } from '@souk/service-kit/batching/batcher'
import { failpoint } from '@souk/service-kit/process/failpoint'
import { request } from 'undici'
import { type Inventory, OutcomeUnknown } from '../../../application/ports.ts'
import type { BookingOutcome, RequestedLine } from '../../../domain/order.ts'
import { BATCH_LIMITS } from '../batch-limits.ts'
import {
  type BookingRequest,
  type BookingResult,
  checkBookings,
  checkReleases,
  type ReleaseRequest,
  type ReleaseResult,
} from './contract.ts'
import type { ServiceToken } from './service-token.ts'

export interface ProductsClientOptions {
  /** The products service's internal listener. */
  baseUrl: string
  serviceToken: ServiceToken
  /** How long a request waits for the decision, retries included, before the order is left to the recovery. */
  deadlineMs: number
  /** See `BatcherOptions`; true unless given. */
  batching?: boolean
}

/** One attempt's share of the deadline: a lost answer leaves time for a second try. */
const ATTEMPT_SHARE = 0.5
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 400

/**
 * The stock behind the contract of the products service. Every call may be repeated, as bookings and releases
 * are known by their order's id there; so an answer that is late, broken or an error is asked for again until
 * the deadline, and then unknown. No status but 200 says anything of an order.
 *
 * Orders that come while a call is under way go together in the next one.
 */
export function httpInventory(options: ProductsClientOptions): Inventory {
  const { batching = true, deadlineMs } = options
  const isPoison = (error: unknown) => error instanceof Refused
  const bounds = { ...BATCH_LIMITS, maxWaitMs: deadlineMs, concurrency: 2, batching, isPoison }
  const book = createBatcher<BookingRequest, BookingResult>({
    name: 'booking-calls',
    ...bounds,
    weigh: ({ lines }) => lines.length,
    run: async (requests) => {
      failpoint('before-call')
      const answer = await post(options, '/bookings', requests)
      failpoint('after-call')
      return checkBookings(requests, answer)
    },
  })
  const release = createBatcher<ReleaseRequest, ReleaseResult>({
    name: 'release-calls',
    ...bounds,
    run: async (requests) => checkReleases(requests, await post(options, '/releases', requests)),
  })
  return {
    book: async ({ id, lines }) => {
      const request = { orderId: id, lines: lines.map(toRequest) }
      const [result] = await untilDeadline(options.deadlineMs, () => book([request]))
      return toOutcome(result!)
    },
    release: async (orderId) => {
      await untilDeadline(options.deadlineMs, () => release([{ orderId }]))
    },
  }
}

/** The products service understood the call and will not have it: one order in it may be why. */
class Refused extends Error {
  override name = 'Refused'
}

const toRequest = ({ productId, quantity }: RequestedLine) => ({ productId, quantity })

function toOutcome(result: BookingResult): BookingOutcome {
  if (result.outcome === 'BOOKED') return { booked: result.lines }
  return { rejected: { reason: result.reason, lines: result.lines } }
}

async function untilDeadline<T>(deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await attempt()
    } catch (error) {
      // Jitter, or all orders that met the same outage would come back at the same instant.
      const wait = pause * (0.5 + Math.random())
      if (performance.now() + wait >= deadline) {
        throw new OutcomeUnknown('The products service did not decide in time.', { cause: error })
      }
      await sleep(wait)
    }
  }
}

async function post(options: ProductsClientOptions, path: string, content: unknown): Promise<unknown> {
  // It follows no redirect, which would carry the service token to wherever it points.
  const { statusCode, headers, body } = await request(new URL(path, options.baseUrl), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await options.serviceToken.current()}`,
    },
    body: JSON.stringify(content),
    signal: AbortSignal.timeout(Math.ceil(options.deadlineMs * ATTEMPT_SHARE)),
  })
  const answer = await body.text()
  if (statusCode === 200) return JSON.parse(answer)
  if (statusCode === 401) options.serviceToken.refused(headers.date)
  const message = `${path} answered ${statusCode}: ${answer.slice(0, 500)}`
  throw statusCode === 400 ? new Refused(message) : new Error(message)
}
