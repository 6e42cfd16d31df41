import { isDeepStrictEqual } from 'node:util'
import { type Inventory, OutcomeUnknown } from '../../../application/ports.ts'
import type { BookedLine, BookingOutcome, Money, RequestedLine } from '../../../domain/order.ts'

export type StockedProduct = Omit<BookedLine, 'productId' | 'quantity'> & {
  stock: number
  disabled?: boolean
}

export interface MemoryInventory extends Inventory {
  stockOf(productId: number): number
  /**
   * `down`: every call fails without an effect. `loses-next-response`: the next call takes effect, but throws an error.
   * After that call, `network` is `up` again.
   */
  network: 'up' | 'down' | 'loses-next-response'
}

/** Creates an inventory in memory, for tests. It passes the same tests as the client of the products service. */
export function memoryInventory(products: Record<number, StockedProduct>): MemoryInventory {
  const stock = new Map(Object.entries(products).map(([id, product]) => [Number(id), product.stock]))
  const bookings = new Map<string, BookingOutcome>()

  const overNetwork = <T>(effect: () => T): T => {
    if (inventory.network === 'down') throw new OutcomeUnknown('not connected')
    const response = effect()
    if (inventory.network === 'up') return response
    inventory.network = 'up'
    throw new OutcomeUnknown('the response was lost')
  }
  const addToStock = (lines: readonly RequestedLine[], sign: 1 | -1) => {
    for (const { productId, quantity } of lines) stock.set(productId, stock.get(productId)! + sign * quantity)
  }
  const decide = (lines: readonly RequestedLine[]): BookingOutcome => {
    const rejection = findRejection(lines, products, stock)
    if (rejection) return { rejected: rejection }
    addToStock(lines, -1)
    const booked = lines.map(({ productId, quantity }) => {
      const { name, sellerId, price } = products[productId]!
      return { productId, quantity, name, sellerId, price }
    })
    return { booked }
  }

  const inventory: MemoryInventory = {
    network: 'up',
    book: async ({ id, lines }) =>
      overNetwork(() => {
        const outcome = bookings.get(id) ?? decide(lines)
        bookings.set(id, outcome)
        return outcome
      }),
    release: async (orderId) =>
      overNetwork(() => {
        const outcome = bookings.get(orderId)
        if (outcome && 'booked' in outcome) addToStock(outcome.booked, 1)
        bookings.set(orderId, { rejected: { reason: 'released', lines: [] } })
      }),
    stockOf: (productId) => stock.get(productId)!,
  }
  return inventory
}

function findRejection(
  lines: readonly RequestedLine[],
  products: Record<number, StockedProduct>,
  stock: ReadonlyMap<number, number>,
) {
  const currencies = new Set(lines.map(({ productId }) => products[productId]?.price.currency))
  const causes = [
    ['unknown-product', lines.filter(({ productId }) => !products[productId])],
    ['product-disabled', lines.filter(({ productId }) => products[productId]?.disabled)],
    ['mixed-currencies', currencies.size > 1 ? lines : []],
    [
      'price-changed',
      lines.filter(({ productId, expectedPrice }) => differs(products[productId], expectedPrice)),
    ],
    ['insufficient-stock', lines.filter(({ productId, quantity }) => stock.get(productId)! < quantity)],
  ] as const
  const first = causes.find(([, found]) => found.length > 0)
  if (!first) return null
  const [reason, found] = first
  return {
    reason,
    lines: found.map(({ productId, quantity, expectedPrice }) => ({
      productId,
      requested: quantity,
      available: stock.get(productId) ?? 0,
      ...(reason === 'price-changed' && { expectedPrice: expectedPrice!, price: products[productId]!.price }),
    })),
  }
}

const differs = (product: StockedProduct | undefined, expected: Money | undefined) =>
  expected !== undefined && !isDeepStrictEqual(product?.price, expected)
