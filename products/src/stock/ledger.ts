import type { Engine } from '@souk/service-kit/database/database'
import type { Selectable, Transaction } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { insertedId } from './stock-rows.ts'
import type { StockAdjustment } from './stock-schemas.ts'

type Entry = Omit<Selectable<Tables['stock_adjustments']>, 'id' | 'created_at'>

/**
 * Writes down units that came in or were taken out, in the transaction that moves them: the ledger's sum is
 * the number of units ever put in, which are in stock or booked.
 */
export async function appendToLedger(
  trx: Transaction<Tables>,
  engine: Engine,
  entry: Entry,
): Promise<StockAdjustment> {
  const row = { ...entry, created_at: Date.now() }
  const id = await insertedId(engine, trx.insertInto('stock_adjustments').values(row))
  return toAdjustment({ ...row, id })
}

export const toAdjustment = (row: Selectable<Tables['stock_adjustments']>): StockAdjustment => ({
  id: row.id,
  productId: row.product_id,
  delta: row.delta,
  reason: row.reason,
  stock: row.stock,
  createdAt: new Date(row.created_at).toISOString(),
})
