import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { App } from '@souk/service-kit/http/app'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { BATCHER_OPTIONS, MAX_LINES } from '../batch-limits.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { bookOrders } from './book-orders.ts'
import * as schemas from './booking-schemas.ts'
import { releaseOrders } from './release-orders.ts'

/** In bytes: several times the size of the largest valid batch. */
const BODY_LIMIT = 1024 * 1024

/** Calls that arrive together, from any replica of orders, are decided in one transaction. */
export function registerBookingRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  // Two batches in flight: one prepares while the other waits for its commit.
  const options = { ...BATCHER_OPTIONS, batching, concurrency: 2 }
  const book = createBatcher<schemas.BookingRequest, schemas.BookingResult>({
    ...options,
    name: 'bookings',
    weigh: ({ lines }) => lines.length,
    run: (requests) => bookOrders(database, requests),
  })
  const release = createBatcher<schemas.ReleaseRequest, schemas.ReleaseResult>({
    ...options,
    name: 'releases',
    run: (requests) => releaseOrders(database, requests),
  })

  app.post(
    '/bookings',
    {
      config: { access: { role: 'service' } },
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'bookOrders',
        tags: ['bookings'],
        summary: 'Book the units of orders',
        description:
          'Decides the orders one after another, each all or nothing, and stores every decision. A repeated ' +
          '`orderId` returns the stored decision, even if its lines or the products have changed. A client can ' +
          `therefore retry safely when a response is lost. At most ${MAX_LINES} lines over all orders.`,
        body: schemas.bookingBatch,
        response: {
          200: response(
            'One result per order, in the order of the request',
            Type.Array(ref(schemas.BookingResult)),
          ),
        },
      },
    },
    (request) => book(withinLimit(request.body)),
  )

  app.post(
    '/releases',
    {
      config: { access: { role: 'service' } },
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'releaseOrders',
        tags: ['bookings'],
        summary: 'Release the bookings of orders',
        description:
          'Returns booked units to stock. Repeated calls have no further effect. An order without a booking is ' +
          'stored as released, so a booking that arrives later is rejected.',
        body: schemas.releaseBatch,
        response: {
          200: response(
            'One result per order, in the order of the request',
            Type.Array(ref(schemas.ReleaseResult)),
          ),
        },
      },
    },
    (request) => release(request.body),
  )
}

/** @throws HttpProblem 400 when the orders have more lines than one transaction may lock */
function withinLimit(requests: schemas.BookingRequest[]): schemas.BookingRequest[] {
  const lines = requests.reduce((sum, request) => sum + request.lines.length, 0)
  if (lines <= MAX_LINES) return requests
  throw new HttpProblem(400, 'validation-failed', 'The orders have too many lines; see errors.', {
    errors: [{ pointer: '#', in: 'body', detail: `must not have more than ${MAX_LINES} lines in all` }],
  })
}
