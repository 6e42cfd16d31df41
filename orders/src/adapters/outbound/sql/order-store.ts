import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { Database } from '@souk/service-kit/database/database'
import { isTemporary } from '@souk/service-kit/database/errors'
import { telemetry } from '@souk/service-kit/observability/telemetry'
import { failpoint } from '@souk/service-kit/process/failpoint'
import { type OrderStore, OutcomeUnknown } from '../../../application/ports.ts'
import type { Order } from '../../../domain/order.ts'
import { BATCH_LIMITS } from '../batch-limits.ts'
import {
  changeOrder,
  claimUndecided,
  countUndecided,
  findOrders,
  listOrders,
  listSales,
  summarizeSales,
} from './queries.ts'
import type { OrdersTables } from './tables.ts'
import { type OrderWrite, writeOrders } from './write-orders.ts'

/**
 * Creates an OrderStore in a relational database. New orders and settled orders (CONFIRMED or REJECTED) are written in
 * batches: writes that arrive during the commit of a batch form the next batch. At a failpoint, a fault test can kill
 * the process. In the names of the failpoints, T1 is the transaction that stores a new order, and T3 is the transaction
 * that settles the order (docs/adr/0003-the-order-protocol.md).
 *
 * `idempotencyKeyMs` is the time to live of an idempotency key, in milliseconds. By default, keys do not expire.
 */
export function sqlOrderStore(
  database: Database<OrdersTables>,
  { batching = true, idempotencyKeyMs = Number.POSITIVE_INFINITY } = {},
): OrderStore {
  // No order depends on these reads, so they do not use the connections that orders need.
  const reads = { kysely: database.reads, engine: database.engine }
  telemetry.meter?.gauge('souk_orders_undecided', 'Orders that are PENDING or CANCELLING', {}, () =>
    countUndecided(reads),
  )
  const write = createBatcher<OrderWrite, Order>({
    name: 'order-writes',
    ...BATCH_LIMITS,
    batching,
    // While one batch is written, more orders collect for the next. A larger batch also makes a larger booking call.
    concurrency: 1,
    // An error that is not temporary may come from one write. The batcher then splits the batch until only this write
    // fails.
    isPoison: (error) => !isTemporary(error),
    weigh: ({ order }) => order.lines.length,
    run: (writes) => writeOrders(database, writes, idempotencyKeyMs),
  })

  return {
    add: (order, idempotency) =>
      translateErrors(async () => {
        const [stored] = await write([{ kind: 'insert', order, idempotency }])
        failpoint('after-T1')
        return stored!
      }),
    settle: (order) =>
      translateErrors(async () => {
        failpoint('before-T3')
        const [settled] = await write([{ kind: 'settle', order }])
        failpoint('after-T3')
        return settled!
      }),
    change: (orderId, decide) => translateErrors(() => changeOrder(database, orderId, decide)),
    find: (orderId) => translateErrors(async () => (await findOrders(reads, [orderId]))[0] ?? null),
    listOrders: (buyerId, status, page) => translateErrors(() => listOrders(reads, buyerId, status, page)),
    listSales: (sellerId, page) => translateErrors(() => listSales(reads, sellerId, page)),
    summarizeSales: (sellerId, period, maxSales) =>
      translateErrors(() => summarizeSales(reads, sellerId, period, maxSales)),
    claimUndecided: (now, limit) => translateErrors(() => claimUndecided(database, now, limit)),
  }
}

/** Runs `work`. If the database reports a temporary error, throws OutcomeUnknown instead. */
async function translateErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!isTemporary(error)) throw error
    throw new OutcomeUnknown('The database is busy, slow or unavailable.', { cause: error })
  }
}
