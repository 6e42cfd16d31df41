import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ground, type Scenario, underLoad } from './ground.ts'

const HOUR_S = 3_600
const SERVICES = ['orders', 'products'] as const
type Clocked = (typeof SERVICES)[number]
/** How far its clock is off when a service starts, and to what it is set while orders wait to be decided. */
const CHANGES = [
  [HOUR_S, -HOUR_S],
  [-HOUR_S, 0],
] as const

/** Orders are placed, cancelled and recovered as ever by a clock that is off, and when it is set meanwhile. */
export const wrongClocks: Scenario = {
  name: 'a clock off by an hour',
  run: (ground) =>
    withClocks(ground, async (start, set) => {
      await underLoad(ground, {}, async (load) => {
        for (let n = 0; n < (ground.long ? 10 : 1); n++) {
          for (const service of SERVICES) {
            for (const [from, to] of CHANGES) {
              await start(service, from)
              await load.progress(20)
              // The timetable of undecided orders is kept by orders' clock.
              if (service === 'orders') await leaveUndecided(ground, () => set(service, to))
              else await set(service, to)
              await load.progress(20)
            }
          }
        }
      })
    }),
}

/** Longer than a buyer waits for the decision, so that orders are left to the recovery and its timetable. */
const CUT_MS = 3_000

async function leaveUndecided(ground: Ground, meanwhile: () => Promise<void>): Promise<void> {
  const cuts = ground.wire.counts.cut
  ground.fateOfCalls(() => 'cut')
  await sleep(CUT_MS)
  await meanwhile()
  ground.fateOfCalls(() => 'none')
  assert.ok(ground.wire.counts.cut > cuts, 'orders were left undecided')
}

type ChangeClock = (service: Clocked, offSeconds: number) => Promise<void>

/** Lets `work` start services by wall clocks of their own, and set them; monotonic clocks are left alone. */
async function withClocks(
  { running, happened }: Ground,
  work: (start: ChangeClock, set: ChangeClock) => Promise<void>,
): Promise<void> {
  const library = libfaketime()
  const folder = mkdtempSync(join(tmpdir(), 'souk-clock-'))
  const set: ChangeClock = async (service, seconds) => {
    writeFileSync(join(folder, service), `${seconds < 0 ? '' : '+'}${seconds}`)
    await untilOff(running.system.urls[service], seconds)
    happened(`clock of ${service} set ${seconds / HOUR_S} h off while it ran`)
  }
  const restart = async (service: Clocked, env: Record<string, string> = {}) => {
    await running.system.service(service).kill('SIGTERM')
    await running.system.service(service).start(env)
  }
  const start: ChangeClock = async (service, seconds) => {
    const offset = join(folder, service)
    writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`)
    await restart(service, {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Seconds until the file is read again.
      FAKETIME_CACHE_DURATION: '1',
    })
    await untilOff(running.system.urls[service], seconds)
    happened(`${service} started with its clock ${seconds / HOUR_S} h off`)
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
  if (!found) throw new Error('Wrong clocks need libfaketime; install the package faketime.')
  return found
}

const SET_WITHIN_MS = 5_000

/** @throws AssertionError when the clock behind `url` is not off by so much in time */
async function untilOff(url: string, seconds: number): Promise<void> {
  const deadline = performance.now() + SET_WITHIN_MS
  for (;;) {
    const off = await secondsOff(url)
    if (Math.abs(off - seconds) <= 3) return
    assert.ok(performance.now() < deadline, `the clock of ${url} is off by ${off} s, not ${seconds}`)
    await sleep(100)
  }
}

/** How far a service's clock is ahead of ours, by the date of its answer. */
async function secondsOff(url: string): Promise<number> {
  const response = await fetch(new URL('/health/live', url))
  await response.body?.cancel()
  return Math.round((Date.parse(response.headers.get('date')!) - Date.now()) / 1_000)
}
