import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { demandedVersion, etag } from '../../src/catalogue/etag.ts'
import { containing, searchable } from '../../src/catalogue/search.ts'

describe('the form in which text is compared', () => {
  it('is the same for upper and lower case, beyond ASCII too', () => {
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

  it('is the same for a letter and its accent written as one or as two', () => {
    assert.equal(searchable('e\u0301'), searchable('\u00e9'))
  })

  it('takes wildcards and the escape itself for what they are', () => {
    assert.equal(containing('100%_!\\'), '%100!%!_!!\\%')
  })
})

describe('an ETag', () => {
  it('gives back the version that it was made of', () => {
    assert.equal(demandedVersion(etag(17)), 17)
  })

  it('matches any version when it is a star', () => {
    assert.equal(demandedVersion('*'), undefined)
  })

  it('matches none when it is weak or not ours', () => {
    for (const tag of ['W/"1"', '"one"', '""', '"1.0"', '"99999999999999999999"']) {
      assert.equal(demandedVersion(tag), -1, tag)
    }
  })
})
