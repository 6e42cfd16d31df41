import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { souk } from '../souk.ts'
import { formatMoney } from '../ui/money.ts'
import { Empty, Failure, Loading } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'

/** The lines of orders that were sold, newest first, also those of orders that were cancelled later. */
export function SalesPage() {
  useTitle('Sales')
  const list = useInfiniteQuery({
    queryKey: ['sales'],
    queryFn: ({ pageParam: cursor, signal }) =>
      souk.get('/sellers/me/sales', { params: { query: { limit: 50, ...(cursor && { cursor }) } }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
  const sales = list.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div className="stack">
      <h1>Sales</h1>
      {list.isError && <Failure error={list.error} onRetry={() => list.refetch()} />}
      {list.isPending && <Loading />}
      {list.isSuccess && sales.length === 0 && (
        <Empty title="Nothing sold yet" heading="h2">
          <p>Each unit that a buyer orders appears here at once.</p>
        </Empty>
      )}
      {sales.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Product</th>
                <th scope="col" className="figure">
                  Units
                </th>
                <th scope="col" className="figure">
                  Total
                </th>
                <th scope="col">Status</th>
              </tr>
            </thead>
            <tbody>
              {sales.map(({ orderId, productId, name, quantity, total, status, soldAt }) => (
                <tr key={`${orderId}/${productId}`}>
                  <td>
                    {new Date(soldAt).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}
                  </td>
                  <td>
                    <Link href={`/products/${productId}`}>{name}</Link>
                  </td>
                  <td className="figure">{quantity}</td>
                  <td className="figure">{formatMoney(total)}</td>
                  <td>
                    {status === 'CONFIRMED' ? (
                      <span className="badge good">Sold</span>
                    ) : (
                      <span className="badge bad">Cancelled</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && (
        <button type="button" className="button load-more" onClick={() => list.fetchNextPage()}>
          Load more
        </button>
      )}
    </div>
  )
}
