/** Runs the suites of `e2e/test` on the system that RUNNING_SYSTEM describes in JSON. `run.ts` runs this test file. */
import { shopAt } from '@souk/e2e/support/client'
import type { SystemUnderTest } from '@souk/e2e/support/system'
import { describeSystem } from '@souk/e2e/test/every-suite'

export interface RunningSystem extends Pick<SystemUnderTest, 'urls' | 'databaseUrls' | 'serviceTokenSecret'> {
  name: string
  /** The only suite to run; all suites by default. */
  only?: string
}

const { name, only, ...system } = JSON.parse(process.env.RUNNING_SYSTEM!) as RunningSystem
const start = async () => ({ ...system, shop: shopAt(system.urls.gateway), stop: async () => {} })
describeSystem(name, start, { only })
