import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatAmount, formatMoney, parseAmount } from '../src/ui/money.ts'

describe('formatMoney', () => {
  it('uses the digits of the currency', () => {
    assert.equal(formatMoney({ amount: 128_400, currency: 'USD' }), '1,284.00 USD')
    assert.equal(formatMoney({ amount: 128_400, currency: 'JPY' }), '128,400 JPY')
    assert.equal(formatMoney({ amount: 128_400, currency: 'KWD' }), '128.400 KWD')
  })
})

describe('parseAmount', () => {
  it('returns the amount in minor units', () => {
    const amounts = ['49', '49.', '49.0', ' 49.00 ', '1,284.50'].map((text) => parseAmount(text, 'USD'))
    assert.deepEqual(amounts, [4_900, 4_900, 4_900, 4_900, 128_450])
    assert.equal(parseAmount('49', 'JPY'), 49)
  })

  it('returns undefined for text that is not an amount of the currency', () => {
    for (const text of ['', ' ', '-1', '1e3', '1.2.3', '49.001', '.5', 'ten', '1 000', '12345678901'])
      assert.equal(parseAmount(text, 'USD'), undefined, text)
    assert.equal(parseAmount('49.5', 'JPY'), undefined)
  })

  it('reads what formatAmount writes', () => {
    const amounts = fc.integer({ min: 0, max: 99_999_999_999 })
    const currencies = fc.constantFrom('USD', 'KWD', 'EUR')
    fc.assert(
      fc.property(amounts, currencies, (amount, currency) =>
        assert.equal(parseAmount(formatAmount(amount, currency), currency), amount),
      ),
    )
  })
})
