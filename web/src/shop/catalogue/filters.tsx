import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { Dialog } from '../../ui/dialog.tsx'
import { formatAmount, parseAmount } from '../../ui/money.ts'
import { readListQuery, SORTS, withParameters } from './list-query.ts'

/** The currency in which a price range is typed. The API compares only amounts. */
const CURRENCY = 'USD'

/** The sort order, the price range and "in stock only". On a phone they are in a dialog. */
export function Filters() {
  const [open, setOpen] = useState(false)
  return (
    <>
      <div className="filters wide-only">
        <FilterFields />
      </div>
      <button type="button" className="button narrow-only" onClick={() => setOpen(true)}>
        Sort and filter
      </button>
      {open && (
        <Dialog title="Sort and filter" onClose={() => setOpen(false)}>
          <div className="filters">
            <FilterFields />
          </div>
          <button type="button" className="button primary" onClick={() => setOpen(false)}>
            Show the products
          </button>
        </Dialog>
      )}
    </>
  )
}

function FilterFields() {
  const [parameters, setParameters] = useSearchParams()
  const { sort, inStock } = readListQuery(parameters)
  const change = (changes: Record<string, string>) =>
    setParameters((before) => withParameters(before, changes), { replace: true })
  return (
    <>
      <label className="inline-field">
        Sort
        <select
          className="input"
          value={sort}
          onChange={(event) => change({ sort: event.target.value === 'newest' ? '' : event.target.value })}
        >
          {Object.entries(SORTS).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <PriceField name="minPrice" label="Price from" onChange={change} />
      <PriceField name="maxPrice" label="to" onChange={change} />
      <label className="checkbox">
        <input
          type="checkbox"
          checked={inStock}
          onChange={(event) => change({ inStock: event.target.checked ? 'true' : '' })}
        />
        In stock only
      </label>
    </>
  )
}

interface PriceFieldProps {
  name: 'minPrice' | 'maxPrice'
  label: string
  onChange: (changes: Record<string, string>) => void
}

/** The range takes effect when the user leaves the field or presses Enter. */
function PriceField({ name, label, onChange }: PriceFieldProps) {
  const [parameters] = useSearchParams()
  const amount = readListQuery(parameters)[name]
  const shown = amount === undefined ? '' : formatAmount(amount, CURRENCY)
  const [invalid, setInvalid] = useState(false)
  const take = (text: string) => {
    const typed = parseAmount(text, CURRENCY)
    const isInvalid = text.trim() !== '' && typed === undefined
    setInvalid(isInvalid)
    if (!isInvalid) onChange({ [name]: typed === undefined ? '' : `${typed}` })
  }
  return (
    <label className="inline-field">
      {label}
      <input
        // A change of the address, for example with the back button, shows the new value.
        key={shown}
        className="input price-input figure"
        inputMode="decimal"
        placeholder="any"
        aria-label={name === 'minPrice' ? 'Lowest price' : 'Highest price'}
        aria-invalid={invalid}
        defaultValue={shown}
        onBlur={(event) => take(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take(event.currentTarget.value)
        }}
      />
    </label>
  )
}
