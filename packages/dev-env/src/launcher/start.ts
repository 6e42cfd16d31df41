/** `npm start`: the whole system on SQLite files, until Ctrl-C. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ConfigError, readConfig } from '@souk/service-kit/process/config'
import { commonSettings } from '@souk/service-kit/process/settings'
import { Type } from 'typebox'
import { ProcessFailure } from './managed-process.ts'
import { busyPorts } from './ports.ts'
import { busyPortsMessage, doubledPorts, greeting } from './start-messages.ts'
import { type Ports, startSystem } from './system.ts'

const DATA_DIR = fileURLToPath(new URL('../../../../.data', import.meta.url))
const port = (byDefault: number) => Type.Integer({ minimum: 1, maximum: 65_535, default: byDefault })

const settings = Type.Object({
  GATEWAY_PORT: port(8080),
  USERS_PORT: port(8001),
  PRODUCTS_PORT: port(8002),
  PRODUCTS_INTERNAL_PORT: port(9002),
  ORDERS_PORT: port(8003),
  DATA_DIR: Type.String({ default: DATA_DIR, description: 'the folder of the databases' }),
  LOG_LEVEL: { ...commonSettings({ port: 0, databaseUrl: '' }).LOG_LEVEL, default: 'warn' },
})

function report(error: unknown): number {
  const expected = error instanceof ProcessFailure || error instanceof ConfigError
  console.error(expected ? error.message : error)
  return 1
}

/** Resolves with the exit code. */
async function main(): Promise<number> {
  const config = readConfig(settings)
  const ports: Ports = {
    gateway: config.GATEWAY_PORT,
    users: config.USERS_PORT,
    products: config.PRODUCTS_PORT,
    productsInternal: config.PRODUCTS_INTERNAL_PORT,
    orders: config.ORDERS_PORT,
  }
  const doubled = doubledPorts(ports)
  if (doubled) throw new ConfigError(doubled)
  const busy = await busyPorts(Object.values(ports))
  if (busy.length > 0) throw new ConfigError(busyPortsMessage(ports, busy))
  const asked = stopAsked()
  const crash = Promise.withResolvers<ProcessFailure>()
  console.log('Starting Souk ...')
  try {
    const system = await startSystem({
      ports,
      dataDir: resolve(config.DATA_DIR),
      env: { LOG_LEVEL: config.LOG_LEVEL },
      signal: asked,
      onOutput: (name, line) => console.log(`${name.padEnd(8)} | ${line}`),
      onCrash: crash.resolve,
    })
    console.log(greeting(ports))
    const failure = await Promise.race([crash.promise, aborted(asked)])
    // Who stops a whole group of processes reaches the children too, perhaps before us: that is no crash.
    if (failure) await sleep(200)
    if (failure && !asked.aborted) console.error(`${failure.message}\nStopping the others ...`)
    await system.stop()
    return asked.aborted ? 0 : 1
  } catch (error) {
    if (asked.aborted) return 0
    throw error
  }
}

/** Aborts on Ctrl-C, on a polite kill, and when the terminal or npm is gone. Again is the same as once. */
function stopAsked(): AbortSignal {
  const controller = new AbortController()
  controller.signal.addEventListener('abort', () => console.log('Stopping ...'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  if (process.env.npm_lifecycle_event) whenOrphaned(() => controller.abort())
  // With the terminal gone there is nobody to write to, which must not keep us from ending in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return controller.signal
}

/** A SIGTERM to npm ends npm and the shell between, and neither passes it on: their absence has to be noticed. */
function whenOrphaned(act: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) act()
  }, 500)
  watch.unref()
}

const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined))
  })

process.exit(await main().catch(report))
