import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { type Ground, type Scenario, underLoad } from './ground.ts'
import type { Load } from './load.ts'

/** Where in the order protocol (ADR 3) a service is made to die. */
const FAILPOINTS: Record<Service, readonly string[]> = {
  users: [],
  products: ['before-T2', 'after-T2', 'after-release'],
  orders: ['after-T1', 'before-call', 'after-call', 'before-T3', 'after-T3', 'before-reply'],
}
/** How long a process is given to start and come to its failpoint, under load. */
const FAILPOINT_WAIT_MS = 20_000
const MOST_PASSES = 10

/** Users is killed at any time, the others in turn, half of the times where it could hurt an order. */
export const kills: Scenario = {
  name: 'services killed',
  run: async (ground) => {
    const times = ground.long ? 300 : 30
    await underLoad(ground, { clients: 4 }, async (load) => {
      const users = async () => {
        for (let n = 0; n < times; n++) await killAndStart(ground, load, 'users')
      }
      const ordersAndProducts = async () => {
        for (let n = 0; n < times / 2; n++) {
          for (const service of ['orders', 'products'] as const) {
            const points = FAILPOINTS[service]
            await killAndStart(ground, load, service, points[n % points.length])
          }
        }
      }
      await Promise.all([users(), ordersAndProducts()])
    })
  },
}

/** Kills a service at a random moment, and with a failpoint once more: it is armed by the start in between. */
async function killAndStart(ground: Ground, load: Load, service: Service, point?: string): Promise<void> {
  const { running, random, happened } = ground
  const one = running.system.service(service)
  await load.progress(2)
  await sleep(random() * 200)
  const exit = await one.kill('SIGKILL')
  if (exit?.signal !== 'SIGKILL') throw new Error(`${service} was not killed`)
  happened(`${service} killed at a random moment`)
  if (point) {
    // It may die before it is seen to be ready.
    const starting = one
      .start({ FAILPOINT: `${point}:${1 + Math.floor(random() * MOST_PASSES)}` })
      .catch(() => {})
    const end = await Promise.race([one.ended(), sleep(FAILPOINT_WAIT_MS, undefined, { ref: false })])
    await starting
    if (end?.signal !== 'SIGKILL') throw new Error(`${service} did not come to ${point}`)
    happened(`${service} killed ${point}`)
  }
  await one.start()
}
