import type { Product } from '@souk/client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { souk } from '../../souk.ts'
import { Empty, Failure, Loading, messageOf } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { changeProduct } from './change-product.ts'
import { ProductRow } from './product-row.tsx'

const PAGE_SIZE = 50

const STATUSES = { ACTIVE: 'On sale', DISABLED: 'Hidden' } as const
type Status = keyof typeof STATUSES

/** The products of the seller, newest first. */
export function ProductsPage() {
  useTitle('Products')
  const [parameters, setParameters] = useSearchParams()
  const inAddress = parameters.get('status') ?? ''
  const status = inAddress in STATUSES ? (inAddress as Status) : undefined
  const [search, setSearch] = useState('')
  const [changed, setChanged] = useState<Product>()
  const list = useInfiniteQuery({
    queryKey: ['own-products', status],
    queryFn: ({ pageParam: cursor, signal }) =>
      souk.get('/sellers/me/products', {
        params: { query: { limit: PAGE_SIZE, ...(status && { status }), ...(cursor && { cursor }) } },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
  const products = list.data?.pages.flatMap(({ items }) => items) ?? []
  const shown = products.filter(({ name }) => name.toLowerCase().includes(search.trim().toLowerCase()))
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Products</h1>
        <Link className="button primary" href="/products/new">
          New product
        </Link>
      </div>
      <div className="row">
        <input
          className="input own-search"
          type="search"
          aria-label="Search your products"
          placeholder="Search your products"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <label className="inline-field">
          Status
          <select
            className="input"
            value={status ?? ''}
            onChange={(event) => setParameters(event.target.value ? { status: event.target.value } : {})}
          >
            <option value="">All</option>
            {Object.entries(STATUSES).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div role="status">{changed && <Undo product={changed} onDone={() => setChanged(undefined)} />}</div>
      {list.isError && <Failure error={list.error} onRetry={() => list.refetch()} />}
      {list.isPending && <Loading />}
      {list.isSuccess && products.length === 0 && <NoProducts filtered={status !== undefined} />}
      {products.length > 0 && (
        <table className="own-products">
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col">Price</th>
              <th scope="col">Stock</th>
              <th scope="col">Status</th>
              <th scope="col">
                <span className="visually-hidden">Change the status</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((product) => (
              <ProductRow key={product.id} product={product} onStatus={setChanged} />
            ))}
          </tbody>
        </table>
      )}
      {products.length > 0 && shown.length === 0 && <p>None of the loaded products has this name.</p>}
      {list.hasNextPage && (
        <button type="button" className="button load-more" onClick={() => list.fetchNextPage()}>
          Load more
        </button>
      )}
    </div>
  )
}

function NoProducts({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No products with this status" heading="h2" />
  return (
    <Empty title="No products yet" heading="h2">
      <p>List the first one; it takes a minute.</p>
      <Link className="button primary" href="/products/new">
        New product
      </Link>
    </Empty>
  )
}

/** Says what has happened to a product, and lets the seller take it back. */
function Undo({ product, onDone }: { product: Product; onDone: () => void }) {
  const [error, setError] = useState<unknown>()
  const isHidden = product.status === 'DISABLED'
  const undo = () =>
    changeProduct(product, { status: isHidden ? 'ACTIVE' : 'DISABLED' })
      .then(onDone)
      .catch(setError)
  return (
    <p className="notice good">
      {product.name} is {isHidden ? 'hidden' : 'on sale'}.
      <button type="button" className="button compact" onClick={undo}>
        Undo
      </button>
      {error !== undefined && <span className="error">{messageOf(error)}</span>}
    </p>
  )
}
