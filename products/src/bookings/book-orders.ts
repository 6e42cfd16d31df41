import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { type CommitWith, inTransaction } from '@souk/service-kit/database/transaction'
import { failpoint } from '@souk/service-kit/process/failpoint'
import type { ProductsDatabase, Trx } from '../database/tables.ts'
import { lockProducts } from '../stock/stock-store.ts'
import type { BookingRequest, BookingResult } from './booking-schemas.ts'
import { applyDecisions, applyDecisionsStatement, findBookings } from './bookings-store.ts'
import { decide } from './decide.ts'

/**
 * Books the units of orders in one transaction. Each order is booked completely or rejected, and decided only once:
 * a repeated order gets the stored decision, even if its lines differ. The number of statements does not depend on
 * the number of orders.
 *
 * @returns one result per request, in the order of the requests
 */
export async function bookOrders(
  database: ProductsDatabase,
  requests: readonly BookingRequest[],
): Promise<BookingResult[]> {
  const { engine } = database
  // If an order occurs twice in one call, the first request counts.
  const orders = new Map<string, BookingRequest>()
  for (const request of requests) if (!orders.has(request.orderId)) orders.set(request.orderId, request)
  const productIds = [...orders.values()].flatMap(({ lines }) => lines.map(({ productId }) => productId))

  failpoint('before-T2')
  const results = await inBookingTransaction(database, async (trx, isRetry, commitWith) => {
    const products = await lockProducts(trx, engine, productIds)
    // Repeated orders are rare, so look up existing bookings only after a unique violation. Look them up under the
    // locks: a booking that commits while this transaction waits for them would cost another attempt.
    const existing = isRetry
      ? await findBookings(trx, engine, [...orders.keys()])
      : new Map<string, BookingResult>()
    const undecided = [...orders.values()].filter(({ orderId }) => !existing.has(orderId))
    const decisions = decide(products, undecided)
    if (decisions.length > 0) {
      if (engine === 'postgres') commitWith(applyDecisionsStatement(decisions))
      else await applyDecisions(trx, decisions)
    }
    return [...existing.values(), ...decisions]
  })
  failpoint('after-T2')

  const resultOf = new Map(results.map((result) => [result.orderId, result]))
  return requests.map(({ orderId }) => resultOf.get(orderId)!)
}

/** A retry fails only if another transaction commits a booking of one of the orders meanwhile, so a few are enough. */
const ATTEMPTS = 5

/**
 * Runs `work` in a transaction that inserts bookings. Runs it again from the start after a unique violation: another
 * transaction has inserted a booking of the same order first.
 *
 * The primary key of `bookings` prevents two decisions about one order, so `work` must store every decision. The locks
 * on products cannot prevent them: there are none when a release arrives before its booking, or when the products do
 * not exist.
 *
 * @param work may also run again after its commit, if the connection was lost before the database confirmed it; on a
 *   retry some orders may have bookings
 */
export async function inBookingTransaction<Result>(
  database: ProductsDatabase,
  work: (trx: Trx, isRetry: boolean, commitWith: CommitWith) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(database, (trx, commitWith) => work(trx, attempt > 1, commitWith), {
        idempotent: true,
      })
    } catch (error) {
      if (attempt === ATTEMPTS || !isUniqueViolation(error)) throw error
    }
  }
}
