import { formatMoney } from '../../ui/money.ts'
import { messageOf } from '../../ui/states.tsx'
import { totalOf } from './cart.ts'
import { useCart } from './use-cart.ts'
import { type Ordering, useOrdering } from './use-ordering.ts'

interface OrderButtonProps {
  userId: string
  /** The buyer must first decide about changes. */
  blocked: boolean
}

export function OrderButton({ userId, blocked }: OrderButtonProps) {
  const { lines } = useCart()
  const { ordering, placeOrder } = useOrdering(userId)
  const total = totalOf(lines)
  const busy = ordering.step === 'sending' || ordering.step === 'confirming'
  const disabled = blocked || busy
  return (
    <div className="stack">
      <button
        type="button"
        className="button primary order-button figure"
        // `disabled` would take the focus away from the button, so a keyboard user would lose the place.
        aria-disabled={disabled}
        onClick={() => !disabled && placeOrder()}
      >
        {busy ? 'One moment…' : total ? `Order for ${formatMoney(total)}` : 'Order'}
      </button>
      <div role="status">
        <OrderingNotice ordering={ordering} onRetry={placeOrder} />
      </div>
    </div>
  )
}

function OrderingNotice({ ordering, onRetry }: { ordering: Ordering; onRetry: () => void }) {
  if (ordering.step === 'confirming')
    return <p className="notice good">We have your order and are confirming it. You need not do anything.</p>
  if (ordering.step === 'unknown')
    return (
      <div className="notice bad">
        <p>
          {messageOf(ordering.error)} We do not know yet whether your order was placed. Trying again places it
          only once.
        </p>
        <button type="button" className="button compact" onClick={onRetry}>
          Try again
        </button>
      </div>
    )
  if (ordering.step === 'rejected')
    return (
      <p className="notice bad">The order was not placed: {rejectionOf(ordering.error)} Nothing is lost.</p>
    )
  return null
}

const REASONS: Record<string, string> = {
  'insufficient-stock': 'others were faster, and there are not enough units left.',
  'price-changed': 'a price has changed.',
  'unknown-product': 'a product no longer exists.',
  'product-disabled': 'a product is no longer on sale.',
  'mixed-currencies': 'an order must have one currency.',
}

const rejectionOf = ({ code, detail }: { code: string; detail: string }) => REASONS[code] ?? detail
