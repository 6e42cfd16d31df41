/** The filters of a list of products, as they are in the address of the page. */
export interface ListQuery {
  q: string
  sort: Sort
  minPrice: number | undefined
  maxPrice: number | undefined
  inStock: boolean
}

export const SORTS = { newest: 'Newest', 'price-asc': 'Lowest price', 'price-desc': 'Highest price' }
type Sort = keyof typeof SORTS

/** Reads the filters from the address. Values that nobody can choose on the page are ignored. */
export function readListQuery(parameters: URLSearchParams): ListQuery {
  const sort = parameters.get('sort') ?? ''
  return {
    q: parameters.get('q') ?? '',
    sort: sort in SORTS ? (sort as Sort) : 'newest',
    minPrice: amountIn(parameters.get('minPrice')),
    maxPrice: amountIn(parameters.get('maxPrice')),
    inStock: parameters.get('inStock') === 'true',
  }
}

const amountIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined

/** Returns the parameters of `GET /products` without the ones that change nothing. */
export const toApiQuery = ({ q, sort, minPrice, maxPrice, inStock }: ListQuery) => ({
  sort,
  ...(q.trim() && { q: q.trim() }),
  ...(minPrice !== undefined && { minPrice }),
  ...(maxPrice !== undefined && { maxPrice }),
  ...(inStock && { inStock }),
})

/** Returns a copy of the address's parameters with `changes`; an empty value removes the parameter. */
export function withParameters(
  parameters: URLSearchParams,
  changes: Record<string, string>,
): URLSearchParams {
  const changed = new URLSearchParams(parameters)
  for (const [name, value] of Object.entries(changes)) {
    if (value) changed.set(name, value)
    else changed.delete(name)
  }
  return changed
}
