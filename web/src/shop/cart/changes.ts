import type { Money, Product } from '@souk/client'
import type { CartLine } from './cart.ts'

/** What has changed since a product came into the cart. */
export type Change =
  | { kind: 'unavailable' }
  | { kind: 'short'; available: number }
  | { kind: 'price'; from: Money; to: Money }

/** Compares a line of the cart with the product as it is now; `null` if the product is no longer on sale. */
export function changesOf({ quantity, price }: CartLine, product: Product | null): Change[] {
  if (product?.status !== 'ACTIVE') return [{ kind: 'unavailable' }]
  const changes: Change[] = []
  if (product.price.amount !== price.amount || product.price.currency !== price.currency)
    changes.push({ kind: 'price', from: price, to: product.price })
  if (product.stock < quantity) changes.push({ kind: 'short', available: product.stock })
  return changes
}
