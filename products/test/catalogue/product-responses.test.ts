import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { etag, requiredVersion } from '../../src/catalogue/product-responses.ts'

describe('requiredVersion', () => {
  it('returns the version in an ETag', () => {
    assert.equal(requiredVersion(etag(17)), 17)
  })

  it('returns undefined for *', () => {
    assert.equal(requiredVersion('*'), undefined)
  })

  it('returns -1 for a weak ETag and for an ETag that the service cannot have issued', () => {
    for (const tag of ['W/"1"', '"one"', '""', '"1.0"', '"99999999999999999999"']) {
      assert.equal(requiredVersion(tag), -1, tag)
    }
  })
})
