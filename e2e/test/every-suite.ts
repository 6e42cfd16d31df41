import { after, before, describe } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import type { Engine } from '@souk/service-kit/database/database'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { type SystemUnderTest, startShop, UNLIMITED, UNLIMITED_USERS } from '../support/system.ts'
import { accessSuite } from './suites/access.ts'
import { accessibilitySuite } from './suites/accessibility.ts'
import { edgeSuite } from './suites/edge.ts'
import { fuzzSuite } from './suites/fuzz.ts'
import { journeysSuite } from './suites/journeys.ts'
import { logsSuite } from './suites/logs.ts'
import { raceSuite } from './suites/race.ts'
import { requestHeadersSuite } from './suites/request-headers.ts'
import { sellerConsoleSuite } from './suites/seller-console.ts'
import { storefrontSuite } from './suites/storefront.ts'
import { swaggerUiSuite } from './suites/swagger-ui.ts'

/**
 * `race` must run before `access`, because `race` compares all orders with all bookings and `access` makes a booking
 * without an order. `logs` is last, because it reads the logs of the other suites.
 */
const SUITES = {
  journeys: journeysSuite,
  race: raceSuite,
  fuzz: fuzzSuite,
  access: accessSuite,
  edge: edgeSuite,
  'request-headers': requestHeadersSuite,
  'swagger-ui': swaggerUiSuite,
  storefront: storefrontSuite,
  'seller-console': sellerConsoleSuite,
  accessibility: accessibilitySuite,
  logs: logsSuite,
}

interface DescribeOptions {
  skip?: string | false
  /** Runs only this suite. */
  only?: string | undefined
  /** Leaves these suites out. */
  without?: readonly string[]
}

/** Runs suites, by default all, on the system that `start` starts. */
export function describeSystem(
  name: string,
  start: () => Promise<SystemUnderTest>,
  { skip = false, only, without = [] }: DescribeOptions = {},
): void {
  describe(name, { skip }, () => {
    let running: SystemUnderTest
    before(async () => {
      running = await start()
    })
    after(() => running?.stop())
    for (const [suiteName, suite] of Object.entries(SUITES))
      if (only ? only === suiteName : !without.includes(suiteName))
        describe(suiteName, () => suite(() => running))
  })
}

/** Runs all suites on a system of real processes. Skips the suites if the engine or the gateway is not installed. */
export async function describeProcesses(
  engine: Engine,
  gateway: 'node' | 'nginx',
  without: readonly string[] = [],
): Promise<void> {
  const missing = [
    ...((await availableEngines()).includes(engine) ? [] : [engine]),
    ...(gateway === 'node' || nginxIsInstalled() ? [] : ['nginx']),
  ]
  const envOf = { users: UNLIMITED_USERS, ...(gateway === 'nginx' && { gateway: UNLIMITED }) }
  const name = `${gateway === 'nginx' ? 'nginx' : 'npm start'} on ${engine}`
  const skip = missing.length > 0 && `not available: ${missing.join(', ')}`
  // The suite `logs` reads everything that the processes can log.
  const env = { LOG_LEVEL: 'trace' }
  describeSystem(name, () => startShop(engine, { gateway, env, envOf, outputLines: Infinity }), {
    skip,
    without,
  })
}
