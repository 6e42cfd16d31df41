import { type Batcher, createBatcher } from '@souk/service-kit/batching/batcher'
import type { App } from '@souk/service-kit/http/app'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import type { FastifyBaseLogger } from 'fastify'
import { Type } from 'typebox'
import { BATCHER_OPTIONS, MAX_BODY_BYTES, MAX_LINES } from '../batch-limits.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { bookOrders } from './book-orders.ts'
import { type BookingDecision, type BookingRequest, BookingResult, bookingBatch } from './booking-schemas.ts'

/**
 * Registers `POST /bookings`. Orders from concurrent requests are combined into batches, even if the requests come from
 * different replicas of the orders service. Each batch is processed in one transaction.
 */
export function registerBookingRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  const book = createBatcher<BookingRequest, BookingDecision>({
    ...BATCHER_OPTIONS,
    name: 'bookings',
    batching,
    weigh: ({ lines }) => lines.length,
    run: (requests) => bookOrders(database, requests),
  })

  app.post(
    '/bookings',
    {
      config: { access: { role: 'service' } },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        operationId: 'bookOrders',
        tags: ['bookings'],
        summary: 'Book the units of orders',
        description:
          'Books or rejects the orders one after another and stores every result. An order is booked completely or ' +
          'not at all. If an `orderId` is sent again, the stored result is returned, even if the lines or the ' +
          'products have changed. A client can therefore safely retry a request whose response was lost. The orders ' +
          `of a request may have at most ${MAX_LINES} lines in total. If \`expectedPrice\` differs from the price of the ` +
          'product, the order is rejected with `price-changed`, and each line of the result contains both prices. `UNDECIDED` ' +
          'means that the order could not be processed now. Send it again.',
        body: bookingBatch,
        response: {
          200: response(
            'One result per order, in the sequence of the orders in the request',
            Type.Array(ref(BookingResult)),
          ),
        },
      },
    },
    (request) => bookEach(withinLineLimit(request.body), book, request.log),
  )
}

/**
 * Books orders. An order that fails does not affect the others: its result is UNDECIDED.
 *
 * @throws the error of the first order if all orders fail, for example because the database is down
 */
async function bookEach(
  requests: readonly BookingRequest[],
  book: Batcher<BookingRequest, BookingDecision>,
  log: FastifyBaseLogger,
): Promise<BookingResult[]> {
  const outcomes = await Promise.allSettled(requests.map((request) => book([request])))
  const [first] = outcomes
  if (first?.status === 'rejected' && outcomes.every(({ status }) => status === 'rejected'))
    throw first.reason
  return outcomes.map((outcome, i) => {
    if (outcome.status === 'fulfilled') return outcome.value[0]!
    const { orderId } = requests[i]!
    log.error({ err: outcome.reason, orderId }, 'an order could not be booked')
    return { orderId, outcome: 'UNDECIDED' }
  })
}

/** @throws HttpProblem 400 when the orders have more than `MAX_LINES` lines in total */
function withinLineLimit(requests: BookingRequest[]): BookingRequest[] {
  const lines = requests.reduce((sum, request) => sum + request.lines.length, 0)
  if (lines <= MAX_LINES) return requests
  throw new HttpProblem(400, 'validation-failed', 'The orders have too many lines; see errors.', {
    errors: [{ pointer: '#', in: 'body', detail: `must not have more than ${MAX_LINES} lines in total` }],
  })
}
