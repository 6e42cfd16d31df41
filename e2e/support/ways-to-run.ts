import { describe } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import type { Service } from '@souk/dev-env/launcher/system'
import type { Engine } from '@souk/service-kit/database/database'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { shopAt } from './client.ts'
import { type RunningShop, type ShopOptions, startShop, UNLIMITED } from './system.ts'

/** The whole system, as whoever tries it from outside meets it. */
export interface WholeSystem extends Pick<RunningShop, 'shop' | 'databaseUrls' | 'stop'> {
  urls: Record<Service | 'gateway', string>
  /** What orders signs its tokens for products with: to try what comes of one elsewhere. */
  serviceTokenSecret: string
  /** Its processes; containers have other hands on them. */
  system?: RunningShop['system']
}

/** How whoever runs a system already, in containers say, tells the suite of it: `RUNNING_SYSTEM`, as JSON. */
export type RunningSystem = Pick<WholeSystem, 'urls' | 'databaseUrls' | 'serviceTokenSecret'> & {
  name: string
}

interface WayToRun {
  name: string
  start: () => Promise<WholeSystem>
  skip: string | false
}

const SECRET = 'a-secret-of-these-tests-alone-0123456789'

const ways = process.env.RUNNING_SYSTEM ? [running(process.env.RUNNING_SYSTEM)] : await asProcesses()

/**
 * The same suite once for each way to run the system: as `npm start` has it, and behind nginx on either database
 * server, as production does; or, where `RUNNING_SYSTEM` names one, on that alone. Each start is a fresh system, unless
 * it runs already.
 */
export function describeOnEachWay(name: string, suite: (start: () => Promise<WholeSystem>) => void): void {
  for (const way of ways) describe(`${name}: ${way.name}`, { skip: way.skip }, () => suite(way.start))
}

async function asProcesses(): Promise<WayToRun[]> {
  const engines = await availableEngines()
  const start = async (engine: Engine, options: ShopOptions = {}) => {
    const running = await startShop(engine, { ...options, env: { SERVICE_TOKEN_SECRET: SECRET } })
    return { ...running, urls: running.system.urls, serviceTokenSecret: SECRET }
  }
  const behindNginx = (engine: 'postgres' | 'mysql', name: string): WayToRun => {
    const missing = [...(engines.includes(engine) ? [] : [name]), ...(nginxIsInstalled() ? [] : ['nginx'])]
    return {
      name: `nginx, on ${name}`,
      start: () => start(engine, { gateway: 'nginx', envOf: { gateway: UNLIMITED } }),
      skip: missing.length > 0 && `no ${missing.join(' and no ')} here`,
    }
  }
  return [
    { name: 'the gateway of npm start, on SQLite', start: () => start('sqlite'), skip: false },
    behindNginx('postgres', 'PostgreSQL'),
    behindNginx('mysql', 'MariaDB'),
  ]
}

function running(json: string): WayToRun {
  const { name, ...system } = JSON.parse(json) as RunningSystem
  const start = async () => ({ ...system, shop: shopAt(system.urls.gateway), stop: async () => {} })
  return { name, start, skip: false }
}
