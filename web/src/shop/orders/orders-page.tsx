import { isUndecided, type Order } from '@souk/client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { souk } from '../../souk.ts'
import { formatMoney } from '../../ui/money.ts'
import { Empty, Failure, Loading } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { OrderStatus, orderNumber, orderTime } from './order-status.tsx'

const REFRESH_MS = 2_000

/** The orders of the buyer, newest first. The list updates itself while an order is undecided. */
export function OrdersPage() {
  useTitle('Orders')
  const list = useInfiniteQuery({
    queryKey: ['orders'],
    queryFn: ({ pageParam: cursor, signal }) =>
      souk.get('/orders', { params: { query: cursor ? { cursor } : {} }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isUndecided)) ? REFRESH_MS : false,
  })
  if (list.isPending) return <Loading />
  if (list.isError && !list.data) return <Failure error={list.error} onRetry={() => list.refetch()} />
  const orders = list.data.pages.flatMap(({ items }) => items)
  if (orders.length === 0)
    return (
      <Empty title="No orders yet">
        <Link className="button primary" href="/">
          Look at the products
        </Link>
      </Empty>
    )
  return (
    <div className="stack">
      <h1>Orders</h1>
      {list.isError && <Failure error={list.error} onRetry={() => list.refetch()} />}
      <ul className="panel order-list">
        {orders.map((order) => (
          <OrderRow key={order.id} order={order} />
        ))}
      </ul>
      {list.hasNextPage && (
        <button type="button" className="button load-more" onClick={() => list.fetchNextPage()}>
          Load more
        </button>
      )}
    </div>
  )
}

function OrderRow({ order }: { order: Order }) {
  const names = order.lines.map(({ name, productId }) => name ?? `product ${productId}`).join(', ')
  return (
    <li className="order-row">
      <Link href={`/orders/${order.id}`} className="order-row-name">
        {names}
      </Link>
      <span className="small soft figure">
        {orderNumber(order)} · {orderTime(order)}
      </span>
      <OrderStatus status={order.status} />
      <span className="figure order-row-total">{order.total ? formatMoney(order.total) : ''}</span>
    </li>
  )
}
