import { Problem } from '@souk/client'
import { useQueries } from '@tanstack/react-query'
import { Link } from 'wouter'
import { RequireUser } from '../../account/require-user.tsx'
import { useSession } from '../../account/session.ts'
import { formatMoney } from '../../ui/money.ts'
import { Empty } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { productQuery } from '../catalogue/product-page.tsx'
import { SellerName } from '../catalogue/seller-name.tsx'
import { bySeller, type CartLine, totalOf } from './cart.ts'
import { CartLineRow, type LineState } from './cart-line.tsx'
import { changesOf } from './changes.ts'
import { OrderButton } from './order-button.tsx'
import { useCart } from './use-cart.ts'

/** The cart, with what has changed since the products came into it. */
export function CartPage() {
  useTitle('Cart')
  const { lines } = useCart()
  const { user, ended } = useSession()
  const states = useLineStates(lines)
  if (lines.length === 0)
    return (
      <Empty title="Your cart is empty">
        <p>What you add to it stays here, also after you close the browser.</p>
        <Link className="button primary" href="/">
          Look at the products
        </Link>
      </Empty>
    )
  const open = states.filter(({ changes }) => changes.length > 0).length
  return (
    <div className="cart-page">
      <div className="stack">
        <h1>Cart</h1>
        {bySeller(lines).map(([sellerId, group]) => (
          <section key={sellerId} className="panel" aria-label="Products of one seller">
            <h2 className="small soft">
              From <SellerName id={sellerId} />
            </h2>
            <ul>
              {group.map((line) => (
                <CartLineRow
                  key={line.productId}
                  line={line}
                  state={states.find(({ productId }) => productId === line.productId)!}
                />
              ))}
            </ul>
          </section>
        ))}
      </div>
      <aside className="stack">
        <Summary lines={lines} open={open} />
        {(user ?? ended)?.role === 'BUYER' ? (
          <OrderButton userId={(user ?? ended)!.id} blocked={open > 0 || totalOf(lines) === undefined} />
        ) : (
          <RequireUser account="BUYER">{null}</RequireUser>
        )}
      </aside>
    </div>
  )
}

function Summary({ lines, open }: { lines: readonly CartLine[]; open: number }) {
  const total = totalOf(lines)
  return (
    <div className="panel stack">
      <div className="row spread">
        <h2>Total</h2>
        <strong className="price figure">{total ? formatMoney(total) : '—'}</strong>
      </div>
      {!total && (
        <p className="error">An order has one currency. Remove the products that cost another one.</p>
      )}
      <p role="status" className="small soft">
        {open === 0
          ? 'You pay the prices shown here, or the order is not placed.'
          : `${open === 1 ? 'One product has' : `${open} products have`} changed. Decide what to do first.`}
      </p>
    </div>
  )
}

/** Compares each line with the product as it is now. */
function useLineStates(lines: readonly CartLine[]): LineState[] {
  const queries = useQueries({
    queries: lines.map(({ productId }) => ({
      ...productQuery(productId),
      refetchOnMount: 'always' as const,
    })),
  })
  return lines.map((line, index) => {
    const { data, error } = queries[index]!
    const isGone = error instanceof Problem && error.status === 404
    const product = isGone ? null : data
    return {
      productId: line.productId,
      product: product ?? undefined,
      changes: product === undefined ? [] : changesOf(line, product),
    }
  })
}
