import { isDeepStrictEqual } from 'node:util'
import type { RejectionReason } from '../database/tables.ts'
import type { Money } from '../schemas.ts'
import type { StockedProduct } from '../stock/stock-store.ts'
import type { BookingDecision, BookingRequest } from './booking-schemas.ts'

type Line = BookingRequest['lines'][number]
type Products = ReadonlyMap<number, StockedProduct>

/**
 * Decides for each order, one after another, whether to book or to reject the whole order. A booked order reduces the
 * units that are available to later orders.
 *
 * @param products the existing products of all lines, by id; not modified
 */
export function decide(products: Products, requests: readonly BookingRequest[]): BookingDecision[] {
  const remaining = new Map([...products].map(([id, product]) => [id, { ...product }]))
  return requests.map(({ orderId, lines }) => {
    // Merge the lines of each product first. Otherwise two lines with the same product could both take the last unit.
    const merged = [...unitsOf(lines)].map(([productId, quantity]) => ({ productId, quantity }))
    const rejection = rejectionOf(remaining, merged, unexpectedPrices(remaining, lines))
    if (rejection) return { orderId, outcome: 'REJECTED', ...rejection }
    return { orderId, outcome: 'BOOKED', lines: merged.map((line) => take(remaining, line)) }
  })
}

/** Returns the total quantity of each product in `lines`, in the sequence in which the products first occur. */
export function unitsOf(lines: readonly Pick<Line, 'productId' | 'quantity'>[]): Map<number, number> {
  const units = new Map<number, number>()
  for (const { productId, quantity } of lines) units.set(productId, (units.get(productId) ?? 0) + quantity)
  return units
}

/** Returns the expected prices, by product id, of the lines whose product has another price. */
function unexpectedPrices(products: Products, lines: readonly Line[]): Map<number, Money> {
  const differs = ({ productId, expectedPrice }: Line) => {
    const product = products.get(productId)
    return product && expectedPrice && !isDeepStrictEqual(priceOf(product), expectedPrice)
  }
  return new Map(lines.filter(differs).map(({ productId, expectedPrice }) => [productId, expectedPrice!]))
}

/**
 * Returns the first reason to reject an order, and the lines with this reason. Returns undefined to book the order.
 *
 * @param lines one line per product
 */
function rejectionOf(products: Products, lines: readonly Line[], unexpected: ReadonlyMap<number, Money>) {
  const product = ({ productId }: Line) => products.get(productId)
  const available = (line: Line) => (product(line)?.status === 'ACTIVE' ? product(line)!.stock : 0)
  const currencies = new Set(lines.map((line) => product(line)?.price_currency))
  const checks: [RejectionReason, (line: Line) => boolean][] = [
    ['unknown-product', (line) => !product(line)],
    ['product-disabled', (line) => product(line)?.status === 'DISABLED'],
    ['mixed-currencies', () => currencies.size > 1],
    ['price-changed', (line) => unexpected.has(line.productId)],
    ['insufficient-stock', (line) => available(line) < line.quantity],
  ]
  for (const [reason, appliesTo] of checks) {
    const failing = lines.filter(appliesTo).map((line) => ({
      productId: line.productId,
      requested: line.quantity,
      available: available(line),
      ...(reason === 'price-changed' && {
        expectedPrice: unexpected.get(line.productId)!,
        price: priceOf(product(line)!),
      }),
    }))
    if (failing.length > 0) return { reason, lines: failing }
  }
  return undefined
}

/** Takes the units of a line from the stock of the product and returns the booked line. */
function take(products: Products, { productId, quantity }: Line) {
  const product = products.get(productId)!
  product.stock -= quantity
  return { productId, quantity, sellerId: product.seller_id, name: product.name, price: priceOf(product) }
}

const priceOf = (product: StockedProduct): Money => ({
  amount: product.price_amount,
  currency: product.price_currency,
})
