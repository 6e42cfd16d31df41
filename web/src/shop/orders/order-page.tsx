import { isUndecided, type Order } from '@souk/client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { queryClient, souk } from '../../souk.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { formatMoney } from '../../ui/money.ts'
import { Failure, Loaded } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { OrderStatus, orderNumber, orderTime } from './order-status.tsx'

const REFRESH_MS = 1_000

/** One order. The page updates itself while the order is undecided. */
export function OrderPage({ id }: { id: string }) {
  const [parameters] = useSearchParams()
  const query = useQuery({
    queryKey: ['order', id],
    queryFn: ({ signal }) => souk.get('/orders/{id}', { params: { path: { id } }, signal }),
    refetchInterval: ({ state }) => (state.data && isUndecided(state.data) ? REFRESH_MS : false),
  })
  useTitle(`Order ${orderNumber({ id })}`)
  return (
    <Loaded query={query}>
      {(order) => <OrderDetails order={order} placed={parameters.has('placed')} />}
    </Loaded>
  )
}

function OrderDetails({ order, placed }: { order: Order; placed: boolean }) {
  return (
    <div className="stack order-page">
      {placed && order.status === 'CONFIRMED' ? (
        <header className="order-confirmed">
          <Tick />
          <h1>Your order is confirmed</h1>
        </header>
      ) : (
        <h1>Order {orderNumber(order)}</h1>
      )}
      <div className="row" aria-live="polite">
        <OrderStatus status={order.status} />
        <span className="soft figure">
          {orderNumber(order)} · {orderTime(order)}
        </span>
      </div>
      {order.status === 'PENDING' && (
        <p className="notice">We have your order and are confirming it. This page updates by itself.</p>
      )}
      {order.status === 'REJECTED' && (
        <p className="notice bad">This order was not placed. Nothing was taken from you.</p>
      )}
      <Lines order={order} />
      {order.status === 'CONFIRMED' && <CancelOrder order={order} />}
    </div>
  )
}

function Lines({ order: { lines, total } }: { order: Order }) {
  return (
    <div className="panel scroll-x">
      <table>
        <thead>
          <tr>
            <th scope="col">Product</th>
            <th scope="col" className="figure">
              Quantity
            </th>
            <th scope="col" className="figure">
              Price
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ productId, quantity, name, price }) => (
            <tr key={productId}>
              <td>
                <Link href={`/products/${productId}`}>{name ?? `Product ${productId}`}</Link>
              </td>
              <td className="figure">{quantity}</td>
              <td className="figure">{price ? formatMoney(price) : '—'}</td>
            </tr>
          ))}
        </tbody>
        {total && (
          <tfoot>
            <tr>
              <th scope="row" colSpan={2}>
                Total
              </th>
              <td className="figure">
                <strong>{formatMoney(total)}</strong>
              </td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  )
}

/** Cancelling cannot be undone, so the buyer confirms it. */
function CancelOrder({ order }: { order: Order }) {
  const [asking, setAsking] = useState(false)
  const cancel = useMutation({
    mutationFn: () => souk.post('/orders/{id}/cancel', { params: { path: { id: order.id } } }),
    onSuccess: (cancelled) => {
      setAsking(false)
      queryClient.setQueryData(['order', order.id], cancelled)
      queryClient.invalidateQueries({ queryKey: ['orders'] })
      queryClient.invalidateQueries({ queryKey: ['product'] })
    },
  })
  return (
    <>
      <div className="row">
        <button type="button" className="button danger" onClick={() => setAsking(true)}>
          Cancel this order
        </button>
      </div>
      {asking && (
        <Dialog title="Cancel this order?" onClose={() => setAsking(false)}>
          <p>All units return to the sellers. This cannot be undone.</p>
          {cancel.isError && <Failure error={cancel.error} />}
          <div className="row">
            <button
              type="button"
              className="button danger"
              aria-disabled={cancel.isPending}
              onClick={() => !cancel.isPending && cancel.mutate()}
            >
              {cancel.isPending ? 'One moment…' : 'Cancel the order'}
            </button>
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </>
  )
}

function Tick() {
  return (
    <svg className="tick" viewBox="0 0 72 72" aria-hidden="true">
      <circle cx="36" cy="36" r="34" fill="none" stroke="currentColor" strokeWidth="2" />
      <path d="M21 37l10 10 20-22" fill="none" stroke="currentColor" strokeWidth="4" strokeLinecap="round" />
    </svg>
  )
}
