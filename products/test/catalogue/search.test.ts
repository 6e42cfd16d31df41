import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { likePattern } from '../../src/catalogue/product-lists.ts'
import { searchable } from '../../src/catalogue/product-store.ts'

describe('searchable', () => {
  it('returns the same for upper and lower case, also beyond ASCII', () => {
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

  it('returns the same for an accented letter as one character or as two', () => {
    assert.equal(searchable('e\u0301'), searchable('\u00e9'))
  })
})

describe('likePattern', () => {
  it('escapes wildcards and the escape character', () => {
    assert.equal(likePattern('100%_!\\'), '%100!%!_!!\\%')
  })
})
