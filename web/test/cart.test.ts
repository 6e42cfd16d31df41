import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Product } from '@souk/client'
import {
  addToCart,
  bySeller,
  type Cart,
  parseCart,
  setPrice,
  setQuantity,
  totalOf,
} from '../src/shop/cart/cart.ts'
import { changesOf } from '../src/shop/cart/changes.ts'

const product = (id: number, more: Partial<Product> = {}): Product => ({
  id,
  sellerId: `seller-${id % 2}`,
  name: `Product ${id}`,
  description: '',
  price: { amount: 100 * id, currency: 'USD' },
  stock: 10,
  status: 'ACTIVE',
  image: null,
  createdAt: '',
  updatedAt: '',
  ...more,
})
const cartOf = (...ids: number[]): Cart => ids.reduce<Cart>((cart, id) => addToCart(cart, product(id), 1), [])

describe('The cart', () => {
  it('adds the units of a product that is in it already, and keeps the price that the buyer saw first', () => {
    const cart = addToCart(cartOf(1), product(1, { price: { amount: 999, currency: 'USD' } }), 2)
    assert.deepEqual(
      cart.map(({ productId, quantity, price }) => [productId, quantity, price.amount]),
      [[1, 3, 100]],
    )
  })

  it('has at most 50 lines and 1,000 units per line, as an order', () => {
    const full = cartOf(...Array.from({ length: 60 }, (_, index) => index + 1))
    assert.equal(full.length, 50)
    assert.equal(setQuantity(full, 1, 5_000)[0]?.quantity, 1_000)
    assert.equal(setQuantity(full, 1, 2.7)[0]?.quantity, 2)
  })

  it('removes a line whose quantity becomes 0', () => {
    assert.deepEqual(setQuantity(cartOf(1, 2), 1, 0), cartOf(2))
  })

  it('is empty if the stored text is not a cart', () => {
    for (const text of [null, '', '{', '{}', '[1]', '[null]', '[{"productId":1}]', '"x"'])
      assert.deepEqual(parseCart(text), [], String(text))
    assert.deepEqual(parseCart(JSON.stringify(cartOf(1, 2))), cartOf(1, 2))
  })

  it('groups its lines by seller', () => {
    const groups = bySeller(cartOf(1, 2, 3)).map(([seller, lines]) => [
      seller,
      lines.map(({ productId }) => productId),
    ])
    assert.deepEqual(groups, [
      ['seller-1', [1, 3]],
      ['seller-0', [2]],
    ])
  })

  it('has a total only in one currency', () => {
    const cart = setQuantity(cartOf(1, 2), 2, 3)
    assert.deepEqual(totalOf(cart), { amount: 700, currency: 'USD' })
    assert.equal(totalOf(setPrice(cart, 1, { amount: 1, currency: 'EUR' })), undefined)
    assert.equal(totalOf([]), undefined)
  })
})

describe('The changes since a product came into the cart', () => {
  const [line] = setQuantity(cartOf(1), 1, 3)
  const changes = (now: Product | null) => changesOf(line!, now)

  it('are none while price and stock are sufficient', () => {
    assert.deepEqual(changes(product(1, { stock: 3 })), [])
  })

  it('are a new price, a lower stock, or both', () => {
    const to = { amount: 120, currency: 'USD' }
    assert.deepEqual(changes(product(1, { price: to, stock: 2 })), [
      { kind: 'price', from: { amount: 100, currency: 'USD' }, to },
      { kind: 'short', available: 2 },
    ])
  })

  it('are that the product is no longer on sale', () => {
    for (const now of [null, product(1, { status: 'DISABLED' })])
      assert.deepEqual(changes(now), [{ kind: 'unavailable' }])
  })
})
