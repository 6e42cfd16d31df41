/** The cart of the browser: what the buyer has chosen, and the price that the buyer saw. */
import type { Money, Product } from '@souk/client'

/** The limits of an order in the contract. */
export const MAX_QUANTITY = 1_000
const MAX_LINES = 50

export interface CartLine {
  productId: number
  quantity: number
  /** As the buyer saw them. An order is rejected if the price is another by then. */
  name: string
  sellerId: string
  price: Money
}

export type Cart = readonly CartLine[]

/** Adds units of a product. More units of a product that is in the cart keep the price that the buyer saw first. */
export function addToCart(cart: Cart, product: Product, quantity: number): Cart {
  const line = cart.find(({ productId }) => productId === product.id)
  if (line) return setQuantity(cart, product.id, line.quantity + quantity)
  if (cart.length >= MAX_LINES) return cart
  const { id: productId, name, sellerId, price } = product
  return [...cart, { productId, quantity: allowed(quantity), name, sellerId, price }]
}

/** Changes the quantity of a line; 0 removes the line. */
export const setQuantity = (cart: Cart, productId: number, quantity: number): Cart =>
  quantity < 1
    ? cart.filter((line) => line.productId !== productId)
    : cart.map((line) => (line.productId === productId ? { ...line, quantity: allowed(quantity) } : line))

/** Accepts a new price. */
export const setPrice = (cart: Cart, productId: number, price: Money): Cart =>
  cart.map((line) => (line.productId === productId ? { ...line, price } : line))

const allowed = (quantity: number) => Math.min(Math.max(Math.trunc(quantity), 1), MAX_QUANTITY)

/** Reads a stored cart. A text that is not a cart, for example of another version of the shop, is an empty cart. */
export function parseCart(text: string | null): Cart {
  try {
    const cart = JSON.parse(text ?? '[]')
    return Array.isArray(cart) && cart.every(isLine) ? cart : []
  } catch {
    return []
  }
}

const isLine = (line: Partial<CartLine> | null): boolean =>
  Number.isInteger(line?.productId) &&
  Number.isInteger(line?.quantity) &&
  Number.isInteger(line?.price?.amount) &&
  typeof line?.price?.currency === 'string' &&
  typeof line.name === 'string' &&
  typeof line.sellerId === 'string'

/** Groups the lines by seller, in the order in which the sellers came into the cart. */
export function bySeller(cart: Cart): [sellerId: string, lines: CartLine[]][] {
  const groups = new Map<string, CartLine[]>()
  for (const line of cart) groups.set(line.sellerId, [...(groups.get(line.sellerId) ?? []), line])
  return [...groups]
}

/** Returns the total, undefined if the cart is empty or has several currencies. */
export function totalOf(cart: Cart): Money | undefined {
  const currencies = new Set(cart.map(({ price }) => price.currency))
  const [currency] = currencies
  if (currency === undefined || currencies.size > 1) return undefined
  return { amount: cart.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0), currency }
}
