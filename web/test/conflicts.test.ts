import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { conflictsOf, withoutFields } from '../src/sell/products/conflicts.ts'

const seen = {
  name: 'Lamp',
  description: 'Warm',
  price: { amount: 1_000, currency: 'USD' },
  status: 'ACTIVE',
} as const
const change = { name: 'Brass lamp', price: { amount: 3_000, currency: 'USD' } } as const

describe('A change of a product', () => {
  it('conflicts with a concurrent change of the same field', () => {
    const current = { ...seen, price: { amount: 2_000, currency: 'USD' } }
    assert.deepEqual(conflictsOf(seen, current, change), [
      { field: 'price', label: 'Price', seen: '10.00 USD', current: '20.00 USD', wanted: '30.00 USD' },
    ])
  })

  it('does not conflict with a change of another field, or with the same change', () => {
    assert.deepEqual(conflictsOf(seen, { ...seen, description: 'Cold', status: 'DISABLED' }, change), [])
    assert.deepEqual(conflictsOf(seen, { ...seen, ...change }, change), [])
  })

  it('keeps only the fields that the seller still wants', () => {
    assert.deepEqual(withoutFields(change, new Set(['price'])), { name: 'Brass lamp' })
    assert.deepEqual(withoutFields(change, new Set()), change)
  })
})
