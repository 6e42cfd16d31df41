import type { Product, ProductChange } from '@souk/client'
import { formatMoney } from '../../ui/money.ts'

/** A field that the seller wants to change and that somebody else has changed meanwhile, as text. */
export interface FieldConflict {
  field: keyof ProductChange
  label: string
  seen: string
  current: string
  wanted: string
}

const LABELS: Record<keyof ProductChange, string> = {
  name: 'Name',
  description: 'Description',
  price: 'Price',
  status: 'Status',
}

type Values = Pick<Product, 'name' | 'description' | 'price' | 'status'>

const textOf = (values: Partial<Values>, field: keyof Values): string =>
  field === 'price' ? (values.price ? formatMoney(values.price) : '') : (values[field] ?? '')

/** Returns the fields of `change` that are no longer as the seller saw them, and not as the seller wants them either. */
export function conflictsOf(seen: Values, current: Values, change: ProductChange): FieldConflict[] {
  const fields = Object.keys(change) as (keyof ProductChange)[]
  return fields
    .map((field) => ({
      field,
      label: LABELS[field],
      seen: textOf(seen, field),
      current: textOf(current, field),
      wanted: textOf(change as Partial<Values>, field),
    }))
    .filter((conflict) => conflict.seen !== conflict.current && conflict.current !== conflict.wanted)
}

/** Returns the part of `change` that the seller still wants. */
export const withoutFields = (change: ProductChange, given: ReadonlySet<string>): ProductChange =>
  Object.fromEntries(Object.entries(change).filter(([field]) => !given.has(field)))
