import type { Static, TObject } from 'typebox'
import { isAccessDenied, isPooler, isUnavailable } from '../database/errors.ts'
import { ConfigError } from './config.ts'
import type { telemetrySettings } from './settings.ts'

/** Closes a resource of the process, such as the database. */
export type Closer = () => Promise<unknown>

/** Maximum time for the shutdown. Kubernetes kills a process 30 s after SIGTERM by default. */
const SHUTDOWN_MS = 15_000

/**
 * Runs the process of a service. If the start fails, prints the reason and exits. On SIGTERM or SIGINT, completes the
 * requests in flight before it exits.
 *
 * @param service the name of the service in traces
 * @param start opens the resources of the service and returns functions that close them, in the order of the shutdown
 */
export async function serve<Config extends TelemetryConfig>(
  service: string,
  readSettings: () => Config,
  start: (config: Config) => Promise<Closer[]>,
): Promise<void> {
  try {
    const config = readSettings()
    const stopTelemetry = await startTelemetry(service, config)
    closeOnSignal([...(await start(config)), ...stopTelemetry])
  } catch (error) {
    console.error(startFailure(error))
    process.exit(1)
  }
}

function closeOnSignal(closers: readonly Closer[]): void {
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    setTimeout(() => {
      console.error(`The shutdown took longer than ${SHUTDOWN_MS / 1_000} s.`)
      process.exit(1)
    }, SHUTDOWN_MS).unref()
    for (const close of closers) {
      await close().catch((error: unknown) => {
        console.error(error)
        process.exitCode = 1
      })
    }
    process.exit()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

type TelemetryConfig = Static<TObject<typeof telemetrySettings>>

/**
 * Sets the global `telemetry`. Must run before `start`, because the database, the logger and the batchers (which
 * combine concurrent requests) read `telemetry` when they are created.
 */
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

/** Explains why the start failed and how to correct it. Returns the stack of an unknown error. */
export function startFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, syscall, address, port, message } = error as SystemError
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop the process that listens there, or configure another port.`
  if (syscall === 'listen')
    return `The service cannot listen on ${address}:${port} (${code}). Configure another address or port.`
  if (isPooler(error))
    return 'DATABASE_URL leads to a connection pooler that does not support prepared statements. Use PgBouncer 1.21 or later with pool_mode = transaction and max_prepared_statements = 200, or connect to PostgreSQL itself.'
  if (isUnavailable(error))
    return `The database is unavailable (${code ?? message}). Start it, or correct DATABASE_URL.`
  if (isAccessDenied(error))
    return `The database server denies access: ${message}. Create the database or the user, or correct DATABASE_URL.`
  return error instanceof Error ? (error.stack ?? message) : String(error)
}
