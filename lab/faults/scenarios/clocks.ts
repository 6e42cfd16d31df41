import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clockSettings, hasFaketime, setOffset, untilClockIsOff } from '../../support/clock.ts'
import { restart, type Scenario, type Testbed } from '../testbed.ts'

const HOUR_S = 3_600
const SERVICES = ['orders', 'products'] as const
type Clocked = (typeof SERVICES)[number]
/** For each change: the clock's offset when the service starts, and the offset that is set while the service runs. */
const CHANGES = [
  [HOUR_S, -HOUR_S],
  [-HOUR_S, 0],
] as const

/** Clients place and cancel orders while the clock of orders or products is wrong and changes. */
export const wrongClocks: Scenario = {
  name: 'a clock wrong by an hour',
  inject: async (testbed, load) => {
    if (!hasFaketime()) throw new Error('This scenario needs libfaketime; install the package faketime.')
    const folder = mkdtempSync(join(tmpdir(), 'souk-clock-'))
    try {
      for (let n = 0; n < (testbed.long ? 10 : 1); n++) {
        for (const service of SERVICES) {
          for (const [from, to] of CHANGES) {
            await startWithClock(testbed, folder, service, from)
            await load.progress(20)
            const change = () => setClock(testbed, folder, service, to)
            // The recovery worker compares this clock with the due time of undecided orders, so such orders must exist.
            if (service === 'orders') await withUndecidedOrders(testbed, change)
            else await change()
            await load.progress(20)
          }
        }
      }
    } finally {
      await Promise.all(SERVICES.map((service) => restart(testbed, service)))
      rmSync(folder, { recursive: true })
    }
  },
}

/** Longer than a request waits for the decision of products, so that the recovery worker must resume the orders. */
const PARTITION_MS = 3_000

/** Cuts orders off from products, and calls `change` while there are undecided orders. */
async function withUndecidedOrders({ proxy }: Testbed, change: () => Promise<void>): Promise<void> {
  const dropped = proxy.counts.drop
  proxy.faultFor = () => 'drop'
  await sleep(PARTITION_MS)
  await change()
  proxy.faultFor = () => 'none'
  assert.ok(proxy.counts.drop > dropped, 'no call was dropped, so no order was left undecided')
}

/** Restarts a service with a wall clock that is off by `seconds`. The service's monotonic clock stays correct. */
async function startWithClock(
  testbed: Testbed,
  folder: string,
  service: Clocked,
  seconds: number,
): Promise<void> {
  const file = join(folder, service)
  setOffset(file, seconds)
  await restart(testbed, service, clockSettings(file))
  await untilClockIsOff(testbed.urls[service], seconds)
  testbed.count(`${service} started with its clock off by ${seconds / HOUR_S} h`)
}

/** Changes the wall clock of a running service. */
async function setClock(testbed: Testbed, folder: string, service: Clocked, seconds: number): Promise<void> {
  setOffset(join(folder, service), seconds)
  await untilClockIsOff(testbed.urls[service], seconds)
  testbed.count(`clock offset of ${service} changed to ${seconds / HOUR_S} h while the service ran`)
}
