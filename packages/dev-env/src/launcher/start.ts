/** `npm start`: runs the whole system on SQLite files until Ctrl-C. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, readConfig } from '@souk/service-kit/process/config'
import { ProcessFailure } from './managed-process.ts'
import { busyPorts } from './ports.ts'
import { portsOf, startSettings } from './start-config.ts'
import { busyPortsMessage, duplicatePortsMessage, greeting } from './start-messages.ts'
import { startSystem } from './system.ts'

process.exit(await main().catch(report))

/** Returns the exit code. */
async function main(): Promise<number> {
  const config = readConfig(startSettings)
  const ports = portsOf(config)
  const duplicate = duplicatePortsMessage(ports)
  if (duplicate) throw new ConfigError(duplicate)
  const busy = await busyPorts(Object.values(ports))
  if (busy.length > 0) throw new ConfigError(busyPortsMessage(ports, busy))
  const stop = stopSignal()
  const stopped = new Promise<undefined>((resolve) =>
    stop.addEventListener('abort', () => resolve(undefined)),
  )
  const crash = Promise.withResolvers<ProcessFailure>()
  console.log('Starting Souk ...')
  try {
    const system = await startSystem({
      ports,
      dataDir: resolve(config.DATA_DIR),
      env: { LOG_LEVEL: config.LOG_LEVEL },
      signal: stop,
      onOutput: (name, line) => console.log(`${name.padEnd(8)} | ${line}`),
      onCrash: crash.resolve,
    })
    console.log(greeting(ports))
    const failure = await Promise.race([crash.promise, stopped])
    // A signal to all processes of Souk may end a service before it reaches this process. That is not a crash.
    if (failure) await sleep(200)
    if (failure && !stop.aborted) console.error(`${failure.message}\nStopping the others ...`)
    await system.stop()
    return stop.aborted ? 0 : 1
  } catch (error) {
    if (stop.aborted) return 0
    throw error
  }
}

function report(error: unknown): number {
  const isExpected = error instanceof ProcessFailure || error instanceof ConfigError
  console.error(isExpected ? error.message : error)
  return 1
}

/** A signal that aborts on Ctrl-C, on SIGTERM, and when the terminal closes or npm ends. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  controller.signal.addEventListener('abort', () => console.log('Stopping ...'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  if (process.env.npm_lifecycle_event) whenParentEnds(() => controller.abort())
  // When the terminal has closed, writing fails; the processes must still end in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return controller.signal
}

/** npm and its shell do not pass a SIGTERM on to this process, so this checks whether its parent still exists. */
function whenParentEnds(act: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) act()
  }, 250)
  watch.unref()
}
