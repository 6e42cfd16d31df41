import { after, before, describe } from 'node:test'
import { UNLIMITED_USERS } from '@souk/e2e/support/system'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { type ProxiedShop, startProxiedShop } from '../support/proxied-shop.ts'
import { inventorySuite } from './suites/inventory.ts'
import { recoverySuite } from './suites/recovery.ts'
import { restoreSuite } from './suites/restore.ts'

/** Shorter than the defaults: a request stops waiting before a delayed call ends, and the order is resumed soon. */
const SHORT_WAITS = { BOOKING_DEADLINE_MS: '1500', RECOVERY_PAUSE_MS: '200' }
const DELAY_MS = 2_500

const engines = await availableEngines()

// The tests of all engines run at the same time, because most of the time they wait for the recovery worker.
describe('the services as real processes', { concurrency: true }, () => {
  for (const engine of engines) {
    describe(`on ${engine}`, { concurrency: 1 }, () => {
      let running: ProxiedShop

      before(async () => {
        running = await startProxiedShop(engine, DELAY_MS, {
          envOf: { users: UNLIMITED_USERS, orders: SHORT_WAITS },
        })
      })
      after(() => running?.stop())

      // The inventory suite must be last. It makes bookings without orders, and the other suites compare bookings with orders.
      describe('recovery', () => recoverySuite(() => running))
      describe('restore', () => restoreSuite(() => running))
      describe('inventory', () => inventorySuite(() => running))
    })
  }
})
