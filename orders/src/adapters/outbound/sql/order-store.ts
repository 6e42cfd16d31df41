import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { Database } from '@souk/service-kit/database/database'
import { isTemporary } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { telemetry } from '@souk/service-kit/observability/telemetry'
import { failpoint } from '@souk/service-kit/process/failpoint'
import type { Transaction } from 'kysely'
import { type OrderStore, OutcomeUnknown } from '../../../application/ports.ts'
import { orderNotFound } from '../../../domain/errors.ts'
import type { Order } from '../../../domain/order.ts'
import { BATCH_LIMITS } from '../batch-limits.ts'
import { portableWrites } from './portable-writes.ts'
import { postgresWrites } from './postgres-writes.ts'
import { countUndecided, findOrders, orderPage, salesPage } from './queries.ts'
import type { OrdersTables } from './tables.ts'
import { DRIVE_AGAIN_MS, nextAttempt, PUT_OFF_AT_MOST_MS } from './undecided.ts'
import { type OrderWrite, writeOrders } from './write-orders.ts'

/**
 * Orders in a relational database; see the port for what each method promises. New and decided orders are written
 * in batches: what comes while one transaction commits is in the next one.
 */
export function sqlOrderStore(database: Database<OrdersTables>, { batching = true } = {}): OrderStore {
  const { kysely, engine } = database
  telemetry.meter?.gauge('souk_orders_undecided', 'Orders that are PENDING or CANCELLING', {}, () =>
    countUndecided(kysely),
  )
  const writeBatch = engine === 'postgres' ? postgresWrites(kysely) : portableWrites(database)
  const transaction = <T>(work: (trx: Transaction<OrdersTables>) => Promise<T>) =>
    // Each statement below names the state it expects, so running one twice is running it once.
    inTransaction(database, work, { idempotent: true })

  const write = createBatcher<OrderWrite, Order>({
    name: 'order-writes',
    // One at a time: what waits for its commit makes the next batch larger, and with it those of the booking calls.
    ...BATCH_LIMITS,
    batching,
    concurrency: 1,
    isPoison: (error) => !isTemporary(error),
    weigh: (item) => ('place' in item ? item.place.order : item.settle).lines.length,
    run: (items) => writeOrders(database, writeBatch, items),
  })

  const claim = async (when: ['<=' | '>', number], now: number, limit: number): Promise<Order[]> => {
    const found = await kysely
      .selectFrom('orders')
      .select('id')
      .where('next_attempt_at', ...when)
      .orderBy('next_attempt_at')
      .limit(limit)
      .execute()
    if (found.length === 0) return []
    const ids = found.map(({ id }) => id)
    const { numUpdatedRows } = await kysely
      .updateTable('orders')
      .set({ next_attempt_at: now + DRIVE_AGAIN_MS })
      .where('id', 'in', ids)
      .where('next_attempt_at', ...when)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 0n ? [] : findOrders(kysely, engine, ids)
  }

  const store: OrderStore = {
    add: async (order, idempotency) => {
      const [kept] = await write([{ place: { order, idempotency } }])
      failpoint('after-T1')
      return kept!
    },

    settle: async (order) => {
      failpoint('before-T3')
      const [settled] = await write([{ settle: order }])
      failpoint('after-T3')
      return settled!
    },

    change: (orderId, decide) =>
      transaction(async (trx) => {
        const [order] = await findOrders(trx, engine, [orderId], { forUpdate: engine !== 'sqlite' })
        if (!order) throw orderNotFound()
        const changed = decide(order)
        if (changed !== order) await writeStatus(trx, order, changed)
        return changed
      }),

    find: async (orderId) => (await findOrders(kysely, engine, [orderId]))[0] ?? null,

    list: (buyerId, status, page) => orderPage(kysely, engine, buyerId, status, page),

    sales: (sellerId, page) => salesPage(kysely, sellerId, page),

    claimUndecided: async (now, limit) => {
      const due = await claim(['<=', now], now, limit)
      const misdated = await claim(['>', now + PUT_OFF_AT_MOST_MS], now, limit - due.length)
      return [...due, ...misdated]
    },
  }
  return translatingErrors(store)
}

async function writeStatus(trx: Transaction<OrdersTables>, before: Order, after: Order): Promise<void> {
  await trx
    .updateTable('orders')
    .set({ status: after.status, updated_at: after.updatedAt, next_attempt_at: nextAttempt(after) })
    .where('id', '=', before.id)
    .where('status', '=', before.status)
    .execute()
}

/** A database that is away or too contended leaves the outcome open; that is all the application need know. */
function translatingErrors(store: OrderStore): OrderStore {
  const translated = Object.entries(store).map(([name, method]) => [
    name,
    async (...args: never[]) => {
      try {
        return await (method as (...args: never[]) => Promise<unknown>)(...args)
      } catch (error) {
        throw isTemporary(error)
          ? new OutcomeUnknown('The database does not answer.', { cause: error })
          : error
      }
    },
  ])
  return Object.fromEntries(translated) as OrderStore
}
