import { Problem, type Product, type ProductChange } from '@souk/client'
import { queryClient, souk } from '../../souk.ts'
import { conflictsOf } from './conflicts.ts'

/** Somebody has changed the same fields since the seller saw the product. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  readonly current: Product

  constructor(current: Product) {
    super('The product has changed meanwhile.')
    this.current = current
  }
}

/** Loads a product of the seller. */
export const loadOwnProduct = (id: number, signal?: AbortSignal) =>
  souk.getWithEtag('/products/{id}', { params: { path: { id } }, ...(signal && { signal }) })

/**
 * Changes a product, unless a field of `change` is no longer what the seller saw.
 *
 * @throws Conflict with the product as it is now
 */
export async function changeProduct(seen: Product, change: ProductChange): Promise<Product> {
  const { data: current, etag } = await loadOwnProduct(seen.id)
  if (conflictsOf(seen, current, change).length > 0) throw new Conflict(current)
  try {
    const changed = await souk.patch('/products/{id}', {
      params: { path: { id: seen.id }, header: { 'if-match': etag } },
      body: change,
    })
    await queryClient.invalidateQueries({ queryKey: ['own-products'] })
    return changed
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'stale') throw error
    // The product has changed between the two calls.
    throw new Conflict((await loadOwnProduct(seen.id)).data)
  }
}

/** Puts units in stock, or takes them out if `delta` is negative. The key makes a retry safe. */
export async function adjustStock(id: number, delta: number, reason: string, key: string): Promise<void> {
  await souk.post('/products/{id}/stock-adjustments', {
    params: { path: { id }, header: { 'idempotency-key': key } },
    body: { delta, reason },
  })
  await queryClient.invalidateQueries({ queryKey: ['own-products'] })
  await queryClient.invalidateQueries({ queryKey: ['stock', id] })
}
