import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '@souk/e2e/support/wait'
import { type Scenario, type Testbed, underLoad } from '../testbed.ts'

const HOUR_S = 3_600
const SERVICES = ['orders', 'products'] as const
type Clocked = (typeof SERVICES)[number]
/** The offset of the clock when a service starts, and the offset that is set while orders are undecided. */
const CHANGES = [
  [HOUR_S, -HOUR_S],
  [-HOUR_S, 0],
] as const

/** Orders are placed, cancelled and recovered although the clock of a service is wrong or is changed meanwhile. */
export const wrongClocks: Scenario = {
  name: 'a clock wrong by an hour',
  run: (testbed) =>
    withClocks(testbed, async (start, set) => {
      await underLoad(testbed, {}, async (load) => {
        for (let n = 0; n < (testbed.long ? 10 : 1); n++) {
          for (const service of SERVICES) {
            for (const [from, to] of CHANGES) {
              await start(service, from)
              await load.progress(20)
              // The recovery of undecided orders is scheduled with the clock of orders.
              if (service === 'orders') await leaveUndecided(testbed, () => set(service, to))
              else await set(service, to)
              await load.progress(20)
            }
          }
        }
      })
    }),
}

/** Longer than a request waits for the decision, so that orders are left to the recovery worker. */
const PARTITION_MS = 3_000

async function leaveUndecided(testbed: Testbed, meanwhile: () => Promise<void>): Promise<void> {
  const dropped = testbed.proxy.counts.drop
  testbed.setFault(() => 'drop')
  await sleep(PARTITION_MS)
  await meanwhile()
  testbed.setFault(() => 'none')
  assert.ok(testbed.proxy.counts.drop > dropped, 'orders were left undecided')
}

type SetClock = (service: Clocked, offsetSeconds: number) => Promise<void>

/** Lets `work` start services with their own wall clocks, and change these; monotonic clocks stay right. */
async function withClocks(
  { running, count }: Testbed,
  work: (start: SetClock, set: SetClock) => Promise<void>,
): Promise<void> {
  const library = libfaketime()
  const folder = mkdtempSync(join(tmpdir(), 'souk-clock-'))
  const set: SetClock = async (service, seconds) => {
    writeFileSync(join(folder, service), `${seconds < 0 ? '' : '+'}${seconds}`)
    await untilClockIsOff(running.system.urls[service], seconds)
    count(`clock of ${service} set to ${seconds / HOUR_S} h while it ran`)
  }
  const restart = async (service: Clocked, env: Record<string, string> = {}) => {
    await running.system.service(service).kill('SIGTERM')
    await running.system.service(service).start(env)
  }
  const start: SetClock = async (service, seconds) => {
    const offset = join(folder, service)
    writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`)
    await restart(service, {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // How many seconds the library waits before it reads the file again.
      FAKETIME_CACHE_DURATION: '1',
    })
    await untilClockIsOff(running.system.urls[service], seconds)
    count(`${service} started with its clock at ${seconds / HOUR_S} h`)
  }
  try {
    await work(start, set)
  } finally {
    await Promise.all(SERVICES.map((service) => restart(service)))
    rmSync(folder, { recursive: true })
  }
}

function libfaketime(): string {
  const [found] = globSync('/usr/lib/{*/,}faketime/libfaketimeMT.so.1')
  if (!found) throw new Error('This scenario needs libfaketime; install the package faketime.')
  return found
}

const CLOCK_SET_WITHIN_MS = 5_000

/** Waits until the clock of the service at `url` is wrong by so many seconds. @throws Error after 5 s */
async function untilClockIsOff(url: string, seconds: number): Promise<void> {
  const isOff = async () => Math.abs((await secondsOff(url)) - seconds) <= 3
  await waitUntil(isOff, CLOCK_SET_WITHIN_MS, `the clock of ${url} is not off by ${seconds} s`)
}

/** How far a service's clock is ahead of this process's, according to the `Date` of its response. */
async function secondsOff(url: string): Promise<number> {
  const response = await fetch(new URL('/health/live', url))
  await response.body?.cancel()
  return Math.round((Date.parse(response.headers.get('date')!) - Date.now()) / 1_000)
}
