import type { ProductsDatabase } from '../catalogue/product-store.ts'
import { lockProducts } from '../stock/stock-rows.ts'
import { type Booking, findBookings, storeDecisions, toResult } from './booking-rows.ts'
import type { BookingRequest, BookingResult } from './booking-schemas.ts'
import { decide } from './decide.ts'
import { decideOnce } from './decide-once.ts'

/**
 * Books orders, each all or nothing and each once: an order that is decided is answered as it was then,
 * whatever is asked now. One transaction for all of them, with as many statements for 256 as for one.
 *
 * @returns one result a request, in their order
 */
export async function bookOrders(
  database: ProductsDatabase,
  requests: readonly BookingRequest[],
): Promise<BookingResult[]> {
  const orders = firstOfEach(requests)
  const productIds = orders.flatMap(({ lines }) => lines.map((line) => line.productId))
  const results = await decideOnce(database, async (trx, met, commitWith) => {
    const products = await lockProducts(trx, database.engine, productIds)
    // Hardly an order comes twice, so the look-up is left until the primary key has told that one did. Behind the
    // locks even then, or a decision that is committed while we wait for them would cost one more attempt.
    const decided = met
      ? await findBookings(trx, database.engine, orderIdsOf(orders))
      : new Map<string, Booking>()
    const fresh = decide(
      products,
      orders.filter(({ orderId }) => !decided.has(orderId)),
    )
    await storeDecisions(trx, database.engine, fresh, commitWith)
    return [...[...decided.values()].map(toResult), ...fresh]
  })
  const resultOf = new Map(results.map((result) => [result.orderId, result]))
  return orderIdsOf(requests).map((orderId) => resultOf.get(orderId)!)
}

/** An order that comes twice in one call is one order: what came first counts. */
const firstOfEach = (requests: readonly BookingRequest[]): BookingRequest[] =>
  [...Map.groupBy(requests, ({ orderId }) => orderId).values()].map(([first]) => first!)

const orderIdsOf = (requests: readonly BookingRequest[]) => requests.map(({ orderId }) => orderId)
