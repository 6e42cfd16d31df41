import { after, before, describe } from 'node:test'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { type Processes, startProcesses } from '../support/processes.ts'
import { inventorySuite } from './suites/inventory.ts'
import { recoverySuite } from './suites/recovery.ts'
import { restoreSuite } from './suites/restore.ts'

const engines = await availableEngines()

// The engines run side by side, because most of the time these tests wait for the recovery worker.
describe('the services as real processes', { concurrency: true }, () => {
  for (const engine of engines) {
    describe(`on ${engine}`, { concurrency: 1 }, () => {
      let processes: Processes

      before(async () => {
        processes = await startProcesses(engine)
      })
      after(() => processes?.stop())

      // The inventory suite is last: it makes bookings without orders, and the others compare both.
      describe('recovery', () => recoverySuite(() => processes))
      describe('restore', () => restoreSuite(() => processes))
      describe('inventory', () => inventorySuite(() => processes))
    })
  }
})
