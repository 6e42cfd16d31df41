import type { Product } from '@souk/client'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import { souk } from '../../souk.ts'
import { formatMoney } from '../../ui/money.ts'
import { Picture } from '../../ui/picture.tsx'
import { Empty, Failure } from '../../ui/states.tsx'
import { readListQuery, toApiQuery } from './list-query.ts'
import { SellerName } from './seller-name.tsx'

const PAGE_SIZE = 24
/** The pictures that a wide screen shows without scrolling. */
const EAGER_PICTURES = 8

/** The products that match the filters in the address, with more of them on demand. */
export function ProductGrid({ sellerId }: { sellerId?: string }) {
  const [parameters] = useSearchParams()
  const filters = { ...toApiQuery(readListQuery(parameters)), ...(sellerId && { sellerId }) }
  const list = useInfiniteQuery({
    queryKey: ['products', filters],
    queryFn: ({ pageParam: cursor, signal }) =>
      souk.get('/products', {
        params: { query: { ...filters, limit: PAGE_SIZE, ...(cursor && { cursor }) } },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    // While the user types, the products of the last search stay visible.
    placeholderData: keepPreviousData,
  })
  if (list.isPending) return <SkeletonGrid />
  if (list.isError && !list.data) return <Failure error={list.error} onRetry={() => list.refetch()} />
  const products = list.data.pages.flatMap(({ items }) => items)
  return (
    <>
      {list.isError && <Failure error={list.error} onRetry={() => list.fetchNextPage()} />}
      {products.length === 0 && !list.hasNextPage ? (
        <NothingFound />
      ) : (
        <ul className="product-grid" aria-label="Products">
          {products.map((product, index) => (
            <li key={product.id}>
              <ProductCard
                product={product}
                eager={index < EAGER_PICTURES}
                sellerIsKnown={sellerId !== undefined}
              />
            </li>
          ))}
        </ul>
      )}
      <p className="visually-hidden" role="status">
        {list.isFetching ? 'Loading products' : `${products.length} products shown`}
      </p>
      {list.hasNextPage && (
        <button
          type="button"
          className="button load-more"
          aria-disabled={list.isFetchingNextPage}
          onClick={() => !list.isFetchingNextPage && list.fetchNextPage()}
        >
          {list.isFetchingNextPage ? 'Loading…' : 'Load more'}
        </button>
      )}
    </>
  )
}

interface ProductCardProps {
  product: Product
  eager: boolean
  sellerIsKnown: boolean
}

function ProductCard({ product, eager, sellerIsKnown }: ProductCardProps) {
  const { id, name, price, sellerId, stock } = product
  return (
    <article className="product-card">
      <Link href={`/products/${id}`} className="product-link">
        <Picture product={product} eager={eager} />
        <h2>{name}</h2>
      </Link>
      <p className="figure">{formatMoney(price)}</p>
      <StockNote stock={stock}>
        {!sellerIsKnown && (
          <>
            by{' '}
            <Link href={`/sellers/${sellerId}`}>
              <SellerName id={sellerId} />
            </Link>
          </>
        )}
      </StockNote>
    </article>
  )
}

/** With few units left, says so; otherwise shows its content. */
function StockNote({ stock, children }: { stock: number; children: React.ReactNode }) {
  if (stock === 0) return <p className="small stock-note sold-out">Sold out</p>
  if (stock <= 3) return <p className="small stock-note few-left">Only {stock} left</p>
  return <p className="small soft stock-note">{children || '\u00a0'}</p>
}

function NothingFound() {
  const [, setParameters] = useSearchParams()
  return (
    <Empty title="No products found" heading="h2">
      <p>Try fewer words, or another price.</p>
      <button type="button" className="button" onClick={() => setParameters({})}>
        Show all products
      </button>
    </Empty>
  )
}

function SkeletonGrid() {
  return (
    <div className="product-grid" role="status" aria-label="Loading products">
      {Array.from({ length: EAGER_PICTURES }, (_, index) => (
        // The places have no identity of their own.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <div key={index} className="product-card" aria-hidden="true">
          <div className="picture skeleton" />
          <div className="skeleton skeleton-line" />
          <div className="skeleton skeleton-line" />
          <div className="skeleton skeleton-line" />
        </div>
      ))}
    </div>
  )
}
