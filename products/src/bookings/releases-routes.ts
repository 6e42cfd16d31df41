import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { App } from '@souk/service-kit/http/app'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { BATCHER_OPTIONS, MAX_BODY_BYTES } from '../batch-limits.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { type ReleaseRequest, ReleaseResult, releaseBatch } from './booking-schemas.ts'
import { releaseOrders } from './release-orders.ts'

/** Registers `POST /releases`. Concurrent requests are combined into batches, each with one transaction. */
export function registerReleaseRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  const release = createBatcher<ReleaseRequest, ReleaseResult>({
    ...BATCHER_OPTIONS,
    name: 'releases',
    batching,
    run: (requests) => releaseOrders(database, requests),
  })

  app.post(
    '/releases',
    {
      config: { access: { role: 'service' } },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        operationId: 'releaseOrders',
        tags: ['bookings'],
        summary: 'Release the units of orders',
        description:
          'Returns the booked units of the orders to stock. Repeated calls have no further effect. An order without ' +
          'a booking is stored as released, so a later booking of that order is rejected.',
        body: releaseBatch,
        response: {
          200: response(
            'One result per order, in the same sequence as the request',
            Type.Array(ref(ReleaseResult)),
          ),
        },
      },
    },
    (request) => release(request.body),
  )
}
