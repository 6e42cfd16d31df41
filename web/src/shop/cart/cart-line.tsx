import type { Product } from '@souk/client'
import { Link } from 'wouter'
import { formatMoney } from '../../ui/money.ts'
import { Picture } from '../../ui/picture.tsx'
import { type CartLine, MAX_QUANTITY } from './cart.ts'
import type { Change } from './changes.ts'
import { useCart } from './use-cart.ts'

export interface LineState {
  productId: number
  /** The product as it is now; undefined while it loads, and if it is no longer on sale. */
  product: Product | undefined
  changes: Change[]
}

export function CartLineRow({ line, state }: { line: CartLine; state: LineState }) {
  const { setQuantity } = useCart()
  const { productId, name, price, quantity } = line
  return (
    <li className="cart-line">
      <Picture product={state.product ?? { name }} small />
      <div className="cart-line-name">
        <Link href={`/products/${productId}`}>{name}</Link>
        <p className="small soft figure">{formatMoney(price)} each</p>
      </div>
      <label>
        <span className="visually-hidden">Quantity of {name}</span>
        <input
          className="input quantity-input figure"
          type="number"
          min="1"
          max={MAX_QUANTITY}
          value={quantity}
          onChange={(event) =>
            event.target.validity.valid && setQuantity(productId, Number(event.target.value))
          }
        />
      </label>
      <p className="figure cart-line-price">{formatMoney({ ...price, amount: price.amount * quantity })}</p>
      <button type="button" className="link small" onClick={() => setQuantity(productId, 0)}>
        Remove<span className="visually-hidden"> {name}</span>
      </button>
      {state.changes.map((change) => (
        <ChangeNotice key={change.kind} line={line} change={change} />
      ))}
    </li>
  )
}

/** Says what has changed, with the buttons to accept it. */
function ChangeNotice({ line, change }: { line: CartLine; change: Change }) {
  const { setPrice, setQuantity } = useCart()
  const { productId } = line
  const remove = (
    <button type="button" className="button compact" onClick={() => setQuantity(productId, 0)}>
      Remove
    </button>
  )
  if (change.kind === 'unavailable')
    return (
      <div className="notice bad cart-change" role="status">
        No longer on sale {remove}
      </div>
    )
  if (change.kind === 'price')
    return (
      <div className="notice cart-change figure" role="status">
        {formatMoney(change.from)}, now {formatMoney(change.to)}
        <button type="button" className="button compact" onClick={() => setPrice(productId, change.to)}>
          Accept {formatMoney(change.to)}
        </button>
        {remove}
      </div>
    )
  if (change.available === 0)
    return (
      <div className="notice bad cart-change" role="status">
        Sold out {remove}
      </div>
    )
  return (
    <div className="notice cart-change" role="status">
      Only {change.available} left
      <button
        type="button"
        className="button compact"
        onClick={() => setQuantity(productId, change.available)}
      >
        {change.available === 1 ? 'Take the 1 that is left' : `Take the ${change.available} that are left`}
      </button>
      {remove}
    </div>
  )
}
