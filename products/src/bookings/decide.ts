import type { ShortLine } from '../errors.ts'
import type { StockedProduct } from '../stock/stock-rows.ts'
import type { BookingRequest, BookingResult, RejectionReason } from './booking-schemas.ts'

type Line = BookingRequest['lines'][number]
type Shelf = ReadonlyMap<number, StockedProduct>

/**
 * Decides orders in the order in which they come, each all or nothing: what one takes is gone for the next.
 *
 * @param products every product of the orders' lines that exists, with its units; not changed
 */
export function decide(products: Shelf, requests: readonly BookingRequest[]): BookingResult[] {
  const shelf = new Map([...products].map(([id, product]) => [id, { ...product }]))
  return requests.map(({ orderId, lines }) => {
    const wanted = merged(lines)
    const refusal = refusalOf(shelf, wanted)
    if (refusal) return { orderId, outcome: 'REJECTED', ...refusal }
    return { orderId, outcome: 'BOOKED', lines: wanted.map((line) => take(shelf.get(line.productId)!, line)) }
  })
}

/** One line a product: two lines of one unit each must not both take the last one. */
const merged = (lines: readonly Line[]): Line[] =>
  [...unitsOf(lines)].map(([productId, quantity]) => ({ productId, quantity }))

/** The units of each product in `lines`, in the order in which the products first come. */
export function unitsOf(lines: readonly Line[]): Map<number, number> {
  const units = new Map<number, number>()
  for (const { productId, quantity } of lines) units.set(productId, (units.get(productId) ?? 0) + quantity)
  return units
}

/** Why an order cannot be had, with the lines at fault; undefined when it can. The first reason counts. */
function refusalOf(
  shelf: Shelf,
  lines: readonly Line[],
): { reason: RejectionReason; lines: ShortLine[] } | undefined {
  const product = ({ productId }: Line) => shelf.get(productId)
  const available = (line: Line) => (product(line)?.status === 'ACTIVE' ? product(line)!.stock : 0)
  const currencies = new Set(lines.map((line) => product(line)?.price.currency))
  const tests: [RejectionReason, (line: Line) => boolean][] = [
    ['unknown-product', (line) => !product(line)],
    ['product-disabled', (line) => product(line)?.status === 'DISABLED'],
    ['mixed-currencies', () => currencies.size > 1],
    ['insufficient-stock', (line) => available(line) < line.quantity],
  ]
  for (const [reason, isAtFault] of tests) {
    const atFault = lines.filter(isAtFault)
    if (atFault.length > 0) {
      return { reason, lines: atFault.map((line) => short(line, available(line))) }
    }
  }
  return undefined
}

const short = ({ productId, quantity }: Line, available: number): ShortLine => ({
  productId,
  requested: quantity,
  available,
})

function take(product: StockedProduct, { productId, quantity }: Line) {
  product.stock -= quantity
  const { sellerId, name, price } = product
  return { productId, quantity, sellerId, name, price }
}
