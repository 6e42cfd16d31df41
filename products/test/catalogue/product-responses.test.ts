import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allowedVersions, etag } from '../../src/catalogue/product-responses.ts'

describe('allowedVersions', () => {
  it('allowedVersions returns the versions of all ETags in a list', () => {
    assert.deepEqual(allowedVersions(etag(17)), [17])
    assert.deepEqual(allowedVersions(`${etag(1)},${etag(2)} , ${etag(3)}`), [1, 2, 3])
  })

  it('allowedVersions returns undefined for *', () => {
    assert.equal(allowedVersions('*'), undefined)
  })

  it('allowedVersions omits weak ETags and ETags that the service cannot have issued', () => {
    for (const tag of ['W/"1"', '"one"', '""', '"1.0"', '"1, 2"', '"99999999999999999999"']) {
      assert.deepEqual(allowedVersions(`${tag}, "5"`), [5], tag)
    }
  })
})
