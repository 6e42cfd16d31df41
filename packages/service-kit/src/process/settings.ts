import { type Static, type TObject, Type } from 'typebox'
import { ConfigError, readConfig } from './config.ts'

/** Of every process that `serve` runs. */
export const telemetrySettings = {
  METRICS_HOST: Type.String({
    default: '127.0.0.1',
    description: 'the address of the listener for /metrics; one that only Prometheus reaches',
  }),
  METRICS_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({ pattern: '^https?://', description: 'where traces are sent, by OTLP over HTTP' }),
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'the share of requests that are traced, of those that come without a trace of their own',
  }),
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** The settings that every service has; each adds its own and its defaults. */
export const commonSettings = ({ port, databaseUrl }: { port: number; databaseUrl: string }) => ({
  HOST: Type.String({
    default: '127.0.0.1',
    description: 'the address to listen on; 0.0.0.0 in a container',
  }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: port }),
  DATABASE_URL: Type.String({
    default: databaseUrl,
    pattern: '^(sqlite:|postgres(ql)?://|mysql://|mariadb://)',
    description: 'sqlite:<file>, postgres://... or mysql://...',
  }),
  DATABASE_POOL_SIZE: Type.Integer({ minimum: 1, maximum: 1_000, default: 10 }),
  SEED_DEMO_DATA: Type.Boolean({
    default: false,
    description: 'demo logins and products; never in production',
  }),
  LOG_LEVEL: Type.Enum(LOG_LEVELS, { default: 'info', description: LOG_LEVELS.join(', ') }),
  TRUST_PROXY: Type.String({
    default: '',
    description: 'whose X-Forwarded-For is believed: addresses or networks, by commas',
  }),
  NODE_ENV: Type.String({ default: 'development' }),
  ...telemetrySettings,
})

/** Where the services that check access tokens find the keys. */
export const tokenSettings = {
  JWKS_URL: Type.String({
    default: 'http://localhost:8001/.well-known/jwks.json',
    pattern: '^https?://',
    description: 'where the public keys of access tokens are',
  }),
}

/** For services that batch their writes. */
export const batchSettings = {
  BATCHING: Type.Boolean({
    default: true,
    description:
      'false gives every request transactions and calls of its own, to measure what batching is worth',
  }),
}

/**
 * A secret that two services share. Its default is public, so `readServiceSettings` refuses it in production.
 *
 * @param byDefault what both services use during development
 */
export const sharedSecret = (byDefault: string, description: string) =>
  Type.String({ minLength: 32, default: byDefault, description, developmentOnly: true })

type CommonSettings = ReturnType<typeof commonSettings>
type CommonConfig = Static<TObject<CommonSettings>>

/**
 * Reads a service's settings from the environment.
 *
 * @throws ConfigError when a setting cannot be used; with `NODE_ENV=production` also for demo data and for a
 *   secret that still has its public default
 */
export function readServiceSettings<P extends CommonSettings>(
  schema: TObject<P>,
  env?: Record<string, string | undefined>,
): Readonly<Static<TObject<P>>> {
  const config = readConfig(schema, env)
  // P includes them, but TypeScript cannot see it while P is open.
  refuseDevelopmentSettings(schema, config as unknown as CommonConfig)
  return config
}

function refuseDevelopmentSettings(schema: TObject, config: CommonConfig): void {
  if (config.NODE_ENV !== 'production') return
  if (config.SEED_DEMO_DATA)
    throw new ConfigError('SEED_DEMO_DATA creates logins with a public password: unset it in production')
  for (const [name, setting] of Object.entries(schema.properties) as [string, DevelopmentSetting][]) {
    if (setting.developmentOnly && config[name as keyof CommonConfig] === setting.default) {
      throw new ConfigError(`${name} has its public default: set a random value in production`)
    }
  }
}

interface DevelopmentSetting {
  developmentOnly?: true
  default?: unknown
}
