import { after, before, describe } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import type { Engine } from '@souk/service-kit/database/database'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { type SystemUnderTest, startShop, UNLIMITED, UNLIMITED_USERS } from '../support/system.ts'
import { accessSuite } from './suites/access.ts'
import { edgeSuite } from './suites/edge.ts'
import { journeysSuite } from './suites/journeys.ts'
import { raceSuite } from './suites/race.ts'
import { swaggerUiSuite } from './suites/swagger-ui.ts'

/** In this order: `race` compares all orders with all bookings, and `access` makes a booking without an order. */
const SUITES = {
  journeys: journeysSuite,
  race: raceSuite,
  access: accessSuite,
  edge: edgeSuite,
  'swagger-ui': swaggerUiSuite,
}

const SECRET = 'a-secret-for-these-tests-only-0123456789'

/** Runs the suites, or only the one that `only` names, on one system, which `start` starts. */
export function describeSystem(
  name: string,
  start: () => Promise<SystemUnderTest>,
  { skip = false, only }: { skip?: string | false; only?: string | undefined } = {},
): void {
  describe(name, { skip }, () => {
    let running: SystemUnderTest
    before(async () => {
      running = await start()
    })
    after(() => running?.stop())
    for (const [suiteName, suite] of Object.entries(SUITES))
      if (!only || only === suiteName) describe(suiteName, () => suite(() => running))
  })
}

/** Runs all suites on the processes of one system. Skipped when the engine or nginx is missing. */
export async function describeProcesses(engine: Engine, gateway: 'node' | 'nginx'): Promise<void> {
  const missing = [
    ...((await availableEngines()).includes(engine) ? [] : [engine]),
    ...(gateway === 'node' || nginxIsInstalled() ? [] : ['nginx']),
  ]
  const start = async () => {
    const running = await startShop(engine, {
      gateway,
      env: { SERVICE_TOKEN_SECRET: SECRET },
      envOf: { users: UNLIMITED_USERS, ...(gateway === 'nginx' && { gateway: UNLIMITED }) },
    })
    return { ...running, urls: running.system.urls, serviceTokenSecret: SECRET }
  }
  const skip = missing.length > 0 && `not available: ${missing.join(', ')}`
  describeSystem(`${gateway === 'nginx' ? 'nginx' : 'npm start'} on ${engine}`, start, { skip })
}
