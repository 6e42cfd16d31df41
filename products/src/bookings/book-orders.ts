import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { type CommitWith, inTransaction } from '@souk/service-kit/database/transaction'
import { failpoint } from '@souk/service-kit/process/failpoint'
import type { ProductsDatabase, Trx } from '../database/tables.ts'
import { lockProducts } from '../stock/stock-store.ts'
import type { BookingDecision, BookingRequest } from './booking-schemas.ts'
import { applyDecisions, applyDecisionsStatement, findBookings } from './bookings-store.ts'
import { decide } from './decide.ts'

/**
 * Books or rejects orders and stores the decisions. Everything happens in one transaction, which ADR 3 calls T2. If an
 * order id already has a stored decision, returns this decision, even if the lines differ. The number of SQL statements
 * does not depend on the number of orders.
 *
 * @returns one result per request, in the same sequence as `requests`
 */
export async function bookOrders(
  database: ProductsDatabase,
  requests: readonly BookingRequest[],
): Promise<BookingDecision[]> {
  const { engine } = database
  // Of several requests with the same order id, process only the first. The result applies to all of them.
  const orders = new Map<string, BookingRequest>()
  for (const request of requests) if (!orders.has(request.orderId)) orders.set(request.orderId, request)
  const productIds = [...orders.values()].flatMap(({ lines }) => lines.map(({ productId }) => productId))

  failpoint('before-T2')
  const results = await inBookingTransaction(database, async (trx, isRetry, commitWith) => {
    const products = await lockProducts(trx, engine, productIds)
    // Repeated orders are rare, so look up existing bookings only in a retry, that is, after a unique violation. The
    // products are locked first, so the look-up also finds bookings that were committed while `lockProducts` waited.
    const existing = isRetry
      ? await findBookings(trx, engine, [...orders.keys()])
      : new Map<string, BookingDecision>()
    const newOrders = [...orders.values()].filter(({ orderId }) => !existing.has(orderId))
    const decisions = decide(products, newOrders)
    if (decisions.length > 0) {
      if (engine === 'postgres') commitWith(applyDecisionsStatement(decisions))
      else await applyDecisions(trx, decisions)
    }
    return new Map([...existing, ...decisions.map((decision) => [decision.orderId, decision] as const)])
  })
  failpoint('after-T2')
  return requests.map(({ orderId }) => results.get(orderId)!)
}

/**
 * The maximum number of attempts. More than one retry is rare, because a retry fails only if another transaction books
 * or releases one of the orders during the retry.
 */
const ATTEMPTS = 5

/**
 * Runs `work` in a transaction that inserts bookings. A unique violation means that another transaction has stored a
 * booking of one of the orders. `work` then runs again from the start, with `isRetry` set to true.
 *
 * Only the primary key of `bookings` prevents two decisions about one order, so `work` must store every decision. The
 * locks on products are not sufficient: the release of an order without a booking locks no product, and a product that
 * does not exist cannot be locked.
 *
 * @param work must be idempotent: if the connection is lost during the commit, `work` runs again, although the
 *   transaction may have been committed
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
