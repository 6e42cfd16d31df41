import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithout } from '@souk/service-kit/testing/engines'
import { addProduct, openShop, type Shop } from './helper.ts'

const skip = await skipWithout('sqlite')

describe('while another process holds the write lock of SQLite', { skip }, () => {
  let shop: Shop
  let locked: DatabaseSync
  before(async () => {
    shop = await openShop('sqlite')
    locked = new DatabaseSync(shop.databaseUrl.slice('sqlite:'.length), { timeout: 0 })
  })
  after(async () => {
    locked.close()
    await shop.close()
  })

  it('a stock adjustment waits, and all reads and the liveness check respond meanwhile', async () => {
    const sellerId = randomUUID()
    const headers = await shop.issuer.as('SELLER', sellerId)
    const { id } = await addProduct(shop, {}, sellerId)
    locked.exec('begin immediate')
    let isAdjusted = false
    const adjustment = shop
      .publicly({
        method: 'POST',
        url: `/products/${id}/stock-adjustments`,
        headers,
        payload: { delta: 1, reason: 'found one' },
      })
      .finally(() => {
        isAdjusted = true
      })
    const reads = [
      '/products',
      `/products/${id}`,
      '/sellers/me/products',
      `/products/${id}/stock-adjustments`,
    ]
    await sleep(100)
    for (const url of reads)
      assert.equal((await shop.publicly({ method: 'GET', url, headers })).statusCode, 200)
    assert.equal((await shop.publicApp.inject('/health/live')).statusCode, 200)
    assert.ok(!isAdjusted)
    locked.exec('rollback')
    assert.equal((await adjustment).statusCode, 201)
  })
})
