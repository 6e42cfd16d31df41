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
export const commonSettings = (port: number) => ({
  HOST: Type.String({
    default: '127.0.0.1',
    description: 'the address to listen on; 0.0.0.0 in a container',
  }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: port }),
  DATABASE_URL: Type.String({
    default: 'postgres://postgres:admin@localhost:5432/ecommdb',
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
    description: 'the address of the users service’s public keys',
  }),
}

/** Of the services that write orders. */
export const batchSettings = {
  BATCHING: Type.Boolean({
    default: true,
    description:
      'false gives every order transactions and calls of its own, to measure what batching is worth',
  }),
}

const DEVELOPMENT_SECRET = 'souk-development-only-service-secret'

/** The secret by which orders and products know each other. */
export const serviceTokenSettings = {
  SERVICE_TOKEN_SECRET: Type.String({
    minLength: 32,
    default: DEVELOPMENT_SECRET,
    description: '32 characters or more, the same in orders and products, in production a random one',
  }),
}

type KnownSettings = ReturnType<typeof commonSettings> & Partial<typeof serviceTokenSettings>
type KnownConfig = Static<TObject<KnownSettings>>

/**
 * A service's settings from the environment, without what is handy on a laptop and a hole in production.
 *
 * @throws ConfigError when one of them cannot be used; with `NODE_ENV=production` also for demo data, and for the
 *   secret that everybody can read here
 */
export function readServiceSettings<P extends KnownSettings>(
  schema: TObject<P>,
  env?: Record<string, string | undefined>,
): Readonly<Static<TObject<P>>> {
  const config = readConfig(schema, env)
  // P has them; of a type that is still open, TypeScript cannot tell.
  refuseDevelopmentSettings(config as unknown as KnownConfig)
  return config
}

function refuseDevelopmentSettings(config: KnownConfig): void {
  if (config.NODE_ENV !== 'production') return
  if (config.SEED_DEMO_DATA)
    throw new ConfigError('SEED_DEMO_DATA makes well-known logins: unset it in production')
  if (config.SERVICE_TOKEN_SECRET === DEVELOPMENT_SECRET) {
    throw new ConfigError('SERVICE_TOKEN_SECRET has its well-known default: set a random one in production')
  }
}
