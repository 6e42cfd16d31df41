import { newIdempotencyKey, type Product } from '@souk/client'
import { useMutation } from '@tanstack/react-query'
import { Link } from 'wouter'
import { formatAmount, parseAmount } from '../../ui/money.ts'
import { Picture } from '../../ui/picture.tsx'
import { messageOf } from '../../ui/states.tsx'
import { adjustStock } from './change-product.ts'
import { ConflictDialog } from './conflict-dialog.tsx'
import { InlineEdit } from './inline-edit.tsx'
import { useChange } from './use-change.ts'

interface ProductRowProps {
  product: Product
  /** Called after the seller has disabled or enabled the product. */
  onStatus: (product: Product) => void
}

/** A product of the seller, whose price, stock and status can be changed in place. */
export function ProductRow({ product, onStatus }: ProductRowProps) {
  const { id, name, price, stock, status } = product
  const { currency } = price
  const { state, save, reset } = useChange(product, (saved) => {
    if (saved.status !== status) onStatus(saved)
  })
  const adjust = useMutation({
    mutationFn: ({ delta, key }: { delta: number; key: string }) =>
      adjustStock(id, delta, 'changed in the list of products', key),
  })
  const addUnits = (delta: number) => adjust.mutate({ delta, key: newIdempotencyKey() })
  const savePrice = (text: string) => {
    const amount = parseAmount(text, currency)
    if (amount === undefined) return `Type an amount such as ${formatAmount(price.amount, currency)}.`
    save({ price: { amount, currency: currency as never } })
    return undefined
  }
  const saveStock = (text: string) => {
    if (!/^\d{1,9}$/.test(text.trim())) return 'Type a whole number.'
    const delta = Number(text) - stock
    if (delta !== 0) addUnits(delta)
    return undefined
  }
  const isActive = status === 'ACTIVE'
  return (
    <tr>
      <td className="product-cell">
        <Picture product={product} small />
        <Link href={`/products/${id}`}>{name}</Link>
      </td>
      <td data-label="Price">
        <InlineEdit
          label={`Price of ${name}`}
          value={formatAmount(price.amount, currency)}
          unit={currency}
          busy={state.step === 'saving'}
          onSave={savePrice}
        />
      </td>
      <td data-label="Stock">
        <div className="row stock-cell">
          <button
            type="button"
            className="button compact"
            aria-label={`One unit of ${name} less`}
            disabled={stock === 0}
            onClick={() => addUnits(-1)}
          >
            −
          </button>
          <InlineEdit
            label={`Stock of ${name}`}
            value={`${stock}`}
            busy={adjust.isPending}
            onSave={saveStock}
          />
          <button
            type="button"
            className="button compact"
            aria-label={`One unit of ${name} more`}
            onClick={() => addUnits(1)}
          >
            +
          </button>
          <Link className="small" href={`/products/${id}/stock`}>
            History<span className="visually-hidden"> of {name}</span>
          </Link>
        </div>
      </td>
      <td data-label="Status">
        <span className={`badge ${isActive ? 'good' : 'warn'}`}>{isActive ? 'On sale' : 'Hidden'}</span>
      </td>
      <td>
        <button
          type="button"
          className="button compact"
          onClick={() => save({ status: isActive ? 'DISABLED' : 'ACTIVE' })}
        >
          {isActive ? 'Hide' : 'Put on sale'}
          <span className="visually-hidden"> {name}</span>
        </button>
        <span className="small" role="status">
          {state.step === 'saving' && ' Saving…'}
          {state.step === 'saved' && ' Saved'}
          {state.step === 'failed' && <span className="error"> {messageOf(state.error)}</span>}
          {adjust.isError && <span className="error"> {messageOf(adjust.error)}</span>}
        </span>
        {state.step === 'conflict' && (
          <ConflictDialog
            seen={product}
            current={state.current}
            change={state.change}
            onDecide={(change) => save(change, state.current)}
            onClose={reset}
          />
        )}
      </td>
    </tr>
  )
}
