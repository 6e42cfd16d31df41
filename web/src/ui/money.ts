import type { Product } from '@souk/client'

export type Money = Product['price']

/** The number of digits after the decimal point of an amount in `currency`, such as 2 for USD and 0 for JPY. */
const digitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2

/** Returns an amount as text, such as `1,284.00 USD`. */
export const formatMoney = ({ amount, currency }: Money): string =>
  `${formatAmount(amount, currency)} ${currency}`

/** Returns an amount in minor units as text without the currency, such as `1,284.00`. */
export function formatAmount(amount: number, currency: string): string {
  const digits = digitsOf(currency)
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return format.format(amount / 10 ** digits)
}

/**
 * Returns the amount in minor units that the user has typed, such as 4900 for `49` or `49.00` in USD.
 *
 * @returns undefined if the text is not an amount of the currency
 */
export function parseAmount(text: string, currency: string): number | undefined {
  const digits = digitsOf(currency)
  const match = /^(\d{1,10})(?:\.(\d*))?$/.exec(text.trim().replaceAll(',', ''))
  const fraction = match?.[2] ?? ''
  if (!match || fraction.length > digits) return undefined
  return Number(match[1]! + fraction.padEnd(digits, '0'))
}
