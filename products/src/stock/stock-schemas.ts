import { pageOf, pageQuery } from '@souk/service-kit/http/pagination'
import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { MAX_AMOUNT, oneLine, ProductId } from '../schemas.ts'

const fields = {
  delta: Type.Integer({
    minimum: -MAX_AMOUNT,
    maximum: MAX_AMOUNT,
    not: { const: 0 },
    description: 'The number of units to add, or a negative number to take units out; not 0',
  }),
  reason: oneLine(200, 'The reason for the adjustment'),
}

export const NewStockAdjustment = Type.Object(fields, {
  $id: 'NewStockAdjustment',
  additionalProperties: false,
  examples: [
    { delta: 24, reason: 'Delivery of 12 March' },
    { delta: -1, reason: 'Broken in the shop' },
  ],
})
export type NewStockAdjustment = Static<typeof NewStockAdjustment>

export const StockAdjustment = Type.Object(
  {
    id: Type.Integer(),
    productId: ProductId,
    ...fields,
    stock: Type.Integer({ minimum: 0, description: 'The units in stock after the adjustment' }),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'StockAdjustment' },
)
export type StockAdjustment = Static<typeof StockAdjustment>

export const ledgerQuery = Type.Object(pageQuery, { additionalProperties: false })
export type LedgerQuery = Static<typeof ledgerQuery>

export const StockAdjustmentPage = Type.Object(pageOf(ref(StockAdjustment)).properties, {
  $id: 'StockAdjustmentPage',
})
export type StockAdjustmentPage = Static<typeof StockAdjustmentPage>
