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

/** Runs the system and returns the exit code. */
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
      envOf: { gateway: { SOUK_CORS_ORIGINS: config.SOUK_CORS_ORIGINS } },
      signal: stop,
      onOutput: (name, line) => console.log(`${name.padEnd(8)} | ${line}`),
      onCrash: crash.resolve,
    })
    console.log(greeting(ports))
    const failure = await Promise.race([crash.promise, stopped])
    // If all processes of Souk receive a signal, a service may end before this process handles the signal. After this
    // wait, `stop.aborted` shows that the service did not crash.
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

/** Returns a signal that aborts on Ctrl-C, on SIGTERM, and when the terminal closes or npm ends. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  controller.signal.addEventListener('abort', () => console.log('Stopping ...'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  if (process.env.npm_lifecycle_event) whenParentEnds(() => controller.abort())
  // After the terminal has closed, writes fail. These listeners ignore the errors, so that the processes end in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return controller.signal
}

/** Polls for the end of the parent process, because npm and its shell do not forward SIGTERM to this process. */
function whenParentEnds(onEnd: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) onEnd()
  }, 250)
  watch.unref()
}
