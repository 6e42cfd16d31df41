import { type Inventory, OutcomeUnknown } from '../../../application/ports.ts'
import type { BookedLine, BookingOutcome, RequestedLine } from '../../../domain/order.ts'

export type StockedProduct = Omit<BookedLine, 'productId' | 'quantity'> & {
  stock: number
  disabled?: boolean
}

/** A stock in memory, for tests, with the faults that a network has. */
export interface MemoryInventory extends Inventory {
  stockOf(productId: number): number
  /** From now on no call arrives, until `heal`. */
  cutOff(): void
  /** The next call takes effect, but its answer is lost. */
  loseNextAnswer(): void
  heal(): void
}

/** It keeps the promises of the port, as its contract suite shows. */
export function memoryInventory(products: Record<number, StockedProduct>): MemoryInventory {
  const stock = new Map(Object.entries(products).map(([id, product]) => [Number(id), product.stock]))
  const bookings = new Map<string, BookingOutcome | 'released'>()
  let reachable = true
  let losing = false

  const overTheWire = <T>(effect: () => T): T => {
    if (!reachable) throw new OutcomeUnknown('cut off')
    const answer = effect()
    if (!losing) return answer
    losing = false
    throw new OutcomeUnknown('the answer was lost')
  }
  const move = (lines: readonly RequestedLine[], sign: 1 | -1) => {
    for (const { productId, quantity } of lines) stock.set(productId, stock.get(productId)! + sign * quantity)
  }
  const decide = (lines: readonly RequestedLine[]): BookingOutcome => {
    const refused = refusal(lines, products, stock)
    if (refused) return { rejected: refused }
    move(lines, -1)
    return {
      booked: lines.map(({ productId, quantity }) => {
        const { name, sellerId, price } = products[productId]!
        return { productId, quantity, name, sellerId, price }
      }),
    }
  }

  return {
    book: async ({ id, lines }) =>
      overTheWire(() => {
        const outcome = bookings.get(id) ?? decide(lines)
        bookings.set(id, outcome)
        return outcome === 'released' ? { rejected: { reason: 'released', lines: [] } } : outcome
      }),
    release: async (orderId) =>
      overTheWire(() => {
        const outcome = bookings.get(orderId)
        if (outcome && outcome !== 'released' && 'booked' in outcome) move(outcome.booked, 1)
        bookings.set(orderId, 'released')
      }),
    stockOf: (productId) => stock.get(productId)!,
    cutOff: () => {
      reachable = false
    },
    loseNextAnswer: () => {
      losing = true
    },
    heal: () => {
      reachable = true
    },
  }
}

function refusal(
  lines: readonly RequestedLine[],
  products: Record<number, StockedProduct>,
  stock: ReadonlyMap<number, number>,
) {
  const refused = (
    reason: 'unknown-product' | 'product-disabled' | 'mixed-currencies' | 'insufficient-stock',
  ) => ({
    reason,
    of: (found: readonly RequestedLine[], available: (productId: number) => number) =>
      found.length === 0
        ? null
        : {
            reason,
            lines: found.map(({ productId, quantity }) => ({
              productId,
              requested: quantity,
              available: available(productId),
            })),
          },
  })
  const none = () => 0
  const left = (productId: number) => stock.get(productId)!
  const currencies = new Set(lines.map(({ productId }) => products[productId]?.price.currency))
  return (
    refused('unknown-product').of(
      lines.filter(({ productId }) => !products[productId]),
      none,
    ) ??
    refused('product-disabled').of(
      lines.filter(({ productId }) => products[productId]!.disabled),
      none,
    ) ??
    refused('mixed-currencies').of(currencies.size > 1 ? lines : [], left) ??
    refused('insufficient-stock').of(
      lines.filter(({ productId, quantity }) => left(productId) < quantity),
      left,
    )
  )
}
