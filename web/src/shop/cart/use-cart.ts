import type { Money, Product } from '@souk/client'
import { useSyncExternalStore } from 'react'
import { addToCart, type Cart, parseCart, setPrice, setQuantity } from './cart.ts'

const KEY = 'souk.cart'

let cart = parseCart(localStorage.getItem(KEY))
const listeners = new Set<() => void>()

function notify(): void {
  for (const listener of listeners) listener()
}

/** Changes the stored cart. Another tab may have changed it since, so the change starts from what is stored. */
function change(apply: (cart: Cart) => Cart): void {
  cart = apply(parseCart(localStorage.getItem(KEY)))
  localStorage.setItem(KEY, JSON.stringify(cart))
  notify()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

// The browser reports the changes of other tabs.
addEventListener('storage', ({ key }) => {
  if (key !== KEY && key !== null) return
  cart = parseCart(localStorage.getItem(KEY))
  notify()
})

const actions = {
  add: (product: Product, quantity: number) => change((before) => addToCart(before, product, quantity)),
  setQuantity: (productId: number, quantity: number) =>
    change((before) => setQuantity(before, productId, quantity)),
  setPrice: (productId: number, price: Money) => change((before) => setPrice(before, productId, price)),
  clear: () => change(() => []),
}

/** Returns the cart and what can be done with it. All tabs of the browser have the same cart. */
export function useCart() {
  const lines = useSyncExternalStore(subscribe, () => cart)
  return { lines, units: lines.reduce((sum, { quantity }) => sum + quantity, 0), ...actions }
}
