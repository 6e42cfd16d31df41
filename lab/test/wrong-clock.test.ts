import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createProduct, placeOrder } from '@souk/e2e/support/client'
import { type RunningShop, startShop, UNLIMITED_USERS } from '@souk/e2e/support/system'
import { clockSettings, hasFaketime, setOffset, untilClockIsOff } from '../support/clock.ts'

const HOUR_S = 3_600
const skip = !hasFaketime() && 'libfaketime is not installed'

describe('a shop on a host with a wrong clock', { skip }, () => {
  let folder: string
  let clock: string
  let running: RunningShop
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-clock-'))
    clock = join(folder, 'offset')
    setOffset(clock, HOUR_S)
    running = await startShop('sqlite', { env: clockSettings(clock), envOf: { users: UNLIMITED_USERS } })
  })
  after(async () => {
    await running?.stop()
    rmSync(folder, { recursive: true })
  })

  const setClock = async (seconds: number) => {
    setOffset(clock, seconds)
    await Promise.all(Object.values(running.urls).map((url) => untilClockIsOff(url, seconds)))
  }

  it('accepts the orders of new logins whenever its clock is set back or forward by an hour', async () => {
    const { shop } = running
    const productId = await createProduct(await shop.newSeller(), 100)
    for (const seconds of [HOUR_S, 0, -HOUR_S, 0, HOUR_S]) {
      await setClock(seconds)
      const buyer = await shop.logIn('user-1', 'password')
      const { status } = await placeOrder(buyer, productId)
      assert.equal(status, 'CONFIRMED', `with the clock off by ${seconds} s`)
    }
  })
})
