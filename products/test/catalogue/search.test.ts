import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { likePattern } from '../../src/catalogue/product-lists.ts'
import { searchable } from '../../src/catalogue/product-store.ts'

describe('searchable', () => {
  it('returns the same text for upper and lower case, including non-ASCII letters', () => {
    for (const [one, other] of [
      ['KETTLE', 'kettle'],
      ['ÉCLAIR', 'éclair'],
      ['STRASSE', 'straße'],
      ['ΟΔΟΣ', 'οδος'],
      ['ЧАЙНИК', 'чайник'],
    ] as const) {
      assert.equal(searchable(one), searchable(other))
    }
  })

  it('returns the same text for composed and decomposed accents', () => {
    assert.equal(searchable('e\u0301'), searchable('\u00e9'))
  })
})

describe('likePattern', () => {
  it('escapes the wildcards % and _ and the escape character !', () => {
    assert.equal(likePattern('100%_!\\'), '%100!%!_!!\\%')
  })
})
