import type { NewProduct, Product } from '@souk/client'
import { useState } from 'react'
import { Field } from '../../ui/form.tsx'
import { formatAmount, parseAmount } from '../../ui/money.ts'

type Price = NewProduct['price']

const FIRST_CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY', 'MAD']
const CURRENCIES = [...new Set([...FIRST_CURRENCIES, ...Intl.supportedValuesOf('currency')])]

interface ProductFieldsProps {
  product?: Product
  errors: Record<string, string>
}

/** The fields of a product that its seller can write. */
export function ProductFields({ product, errors }: ProductFieldsProps) {
  const [currency, setCurrency] = useState(product?.price.currency ?? 'USD')
  return (
    <>
      <Field
        label="Name"
        name="name"
        required
        maxLength={200}
        defaultValue={product?.name}
        error={errors.name}
      />
      <Field
        label="Description"
        name="description"
        multiline
        maxLength={5_000}
        defaultValue={product?.description}
        error={errors.description}
      />
      <div className="row price-row">
        <Field
          label="Price"
          name="price"
          inputMode="decimal"
          required
          defaultValue={product && formatAmount(product.price.amount, product.price.currency)}
          error={errors.price}
          ref={(input) => {
            const isInvalid = input && input.value !== '' && parseAmount(input.value, currency) === undefined
            input?.setCustomValidity(isInvalid ? `Type an amount of ${currency}, such as 49.00` : '')
          }}
          onInput={(event) => {
            const { value } = event.currentTarget
            const isInvalid = value !== '' && parseAmount(value, currency) === undefined
            event.currentTarget.setCustomValidity(
              isInvalid ? `Type an amount of ${currency}, such as 49.00` : '',
            )
          }}
        />
        <label className="field">
          Currency
          <select
            className="input"
            name="currency"
            value={currency}
            onChange={(event) => setCurrency(event.target.value)}
          >
            {CURRENCIES.map((code) => (
              <option key={code}>{code}</option>
            ))}
          </select>
        </label>
      </div>
    </>
  )
}

/** Reads the fields of a form. The form has checked the price before. */
export function readProductFields(values: FormData) {
  const currency = String(values.get('currency')) as Price['currency']
  const amount = parseAmount(String(values.get('price')), currency) ?? 0
  return {
    name: String(values.get('name')),
    description: String(values.get('description')),
    price: { amount, currency } satisfies Price,
  }
}
