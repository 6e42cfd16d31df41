import { setTimeout as sleep } from 'node:timers/promises'
import { type Scenario, underLoad } from './ground.ts'

/** Longer than orders waits for products. */
const FROZEN_MS = 3_000

/** A service stands still and goes on, as after a long pause of its machine: its late answers meet new facts. */
export const freezes: Scenario = {
  name: 'services standing still',
  run: async (ground) => {
    await underLoad(ground, {}, async (load) => {
      for (let n = 0; n < (ground.long ? 20 : 1); n++) {
        for (const service of ['products', 'orders'] as const) {
          await load.progress(20)
          ground.running.system.service(service).send('SIGSTOP')
          await sleep(FROZEN_MS)
          ground.running.system.service(service).send('SIGCONT')
          ground.happened(`${service} stood still for ${FROZEN_MS / 1_000} s`)
        }
      }
    })
  },
}
