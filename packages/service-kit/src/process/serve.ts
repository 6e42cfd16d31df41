import type { Static, TObject } from 'typebox'
import { isRefused, isUnavailable } from '../database/errors.ts'
import { ConfigError } from './config.ts'
import type { telemetrySettings } from './settings.ts'

/** What a started process must end, in the order in which it is to end. */
export type Closer = () => Promise<unknown>

/** How long what is in flight may take to finish after SIGTERM; orchestrators kill after 30 s by default. */
const SHUTDOWN_MS = 15_000

/**
 * Runs a service's process: starts it, says in one line why it could not start, and on SIGTERM or SIGINT lets
 * what is in flight finish before it ends.
 *
 * @param service its name in traces
 * @param start opens everything and gives back how to close it
 */
export async function serve<Config extends TelemetryConfig>(
  service: string,
  readSettings: () => Config,
  start: (config: Config) => Promise<Closer[]>,
): Promise<void> {
  const open = async () => {
    const config = readSettings()
    const stopTelemetry = await startTelemetry(service, config)
    return [...(await start(config)), ...stopTelemetry]
  }
  const closers = await open().catch((error: unknown) => {
    console.error(startFailure(error))
    process.exit(1)
  })
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    setTimeout(() => {
      console.error(`Not everything ended within ${SHUTDOWN_MS / 1000} s.`)
      process.exit(1)
    }, SHUTDOWN_MS).unref()
    // Whatever one of them meets, the others are to end as well.
    for (const close of closers) await close().catch(reportFailedEnd)
    process.exit()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function reportFailedEnd(error: unknown): void {
  console.error(error)
  process.exitCode = 1
}

type TelemetryConfig = Static<TObject<typeof telemetrySettings>>

/** Before all else, as what is opened looks for them once; loaded only where they are wanted. */
async function startTelemetry(service: string, config: TelemetryConfig): Promise<Closer[]> {
  const closers: Closer[] = []
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
    const { startTracing } = await import('../observability/tracing.ts')
    closers.push(startTracing(service, config.OTEL_TRACES_SAMPLER_ARG))
  }
  if (config.METRICS_PORT !== undefined) {
    const { startMetrics } = await import('../observability/metrics.ts')
    closers.push(await startMetrics(config.METRICS_HOST, config.METRICS_PORT))
  }
  return closers
}

type SystemError = NodeJS.ErrnoException & { address?: string; port?: number }

/** Why a process could not start, with what to do; the stack only where we do not know. */
export function startFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, syscall, address, port, message } = error as SystemError
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use. Stop what listens there, or choose another port in the environment.`
  }
  if (syscall === 'listen') {
    return `This machine does not let us listen on ${address}:${port} (${code}). Choose another in the environment.`
  }
  if (isUnavailable(error)) {
    return `The database cannot be reached (${code ?? message}). Start it, or set DATABASE_URL to where it is.`
  }
  if (isRefused(error)) {
    return `The database server refuses us: ${message}. Create what is missing, or correct DATABASE_URL.`
  }
  return error instanceof Error ? (error.stack ?? message) : String(error)
}
