import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { App } from '@souk/service-kit/http/app'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { failpoint } from '@souk/service-kit/process/failpoint'
import { Type } from 'typebox'
import { BATCH_LIMITS, isPoison, MAX_LINES } from '../batch-limits.ts'
import type { ProductsDatabase } from '../catalogue/product-store.ts'
import { bookOrders } from './book-orders.ts'
import {
  type BookingRequest,
  BookingResult,
  bookingBatch,
  type ReleaseRequest,
  ReleaseResult,
  releaseBatch,
} from './booking-schemas.ts'
import { releaseOrders } from './release-orders.ts'

/** In bytes: several times what the largest batch needs. */
const BODY_LIMIT = 1024 * 1024

/** The bookings' routes. What several replicas of orders ask for at once is decided in one transaction. */
export function registerBookingRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  const bounds = { ...BATCH_LIMITS, concurrency: 2, batching, isPoison }
  const book = createBatcher<BookingRequest, BookingResult>({
    name: 'bookings',
    ...bounds,
    weigh: ({ lines }) => lines.length,
    run: async (requests) => {
      failpoint('before-T2')
      const results = await bookOrders(database, requests)
      failpoint('after-T2')
      return results
    },
  })
  const release = createBatcher<ReleaseRequest, ReleaseResult>({
    name: 'releases',
    ...bounds,
    run: async (requests) => {
      const results = await releaseOrders(database, requests)
      failpoint('after-release')
      return results
    },
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
          'Decides each order all or nothing, in the order in which they come, and once: an order that is ' +
          'decided already is answered as it was then, whatever its lines say now and whatever became of the ' +
          `products. So after a lost answer, ask again. At most ${MAX_LINES} lines in all.`,
        body: bookingBatch,
        response: {
          200: response('One result an order, in the order asked', Type.Array(ref(BookingResult))),
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
        summary: 'Give up the bookings of orders',
        description:
          'Puts booked units back into stock, once however often it is asked for. An order that was never ' +
          'booked is noted as released: should its booking come late, it is rejected.',
        body: releaseBatch,
        response: {
          200: response('One result an order, in the order asked', Type.Array(ref(ReleaseResult))),
        },
      },
    },
    (request) => release(request.body),
  )
}

/** @throws HttpProblem 400 when the orders have more lines than one transaction may lock */
function withinLimit(requests: BookingRequest[]): BookingRequest[] {
  const lines = requests.reduce((sum, request) => sum + request.lines.length, 0)
  if (lines <= MAX_LINES) return requests
  throw new HttpProblem(400, 'validation-failed', 'Too many lines for one call; see errors.', {
    errors: [{ pointer: '#', in: 'body', detail: `must not have more than ${MAX_LINES} lines in all` }],
  })
}
