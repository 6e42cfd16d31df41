import { type Static, type TObject, Type } from 'typebox'
import { ConfigError, isProduction, readConfig } from './config.ts'

/** The settings of every process that `serve` runs. */
export const telemetrySettings = {
  METRICS_HOST: Type.String({
    default: '127.0.0.1',
    description: 'address that serves /metrics; only Prometheus should reach it',
  }),
  METRICS_PORT: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_535,
      description: 'port that serves /metrics; without a port, nothing is measured',
    }),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({ pattern: '^https?://', description: 'URL that receives traces (OTLP over HTTP)' }),
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description:
      'share of requests that are traced, from 0 to 1. If a request has a trace context, its caller decides',
  }),
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** The settings that all services have. */
export const commonSettings = ({ port, databaseUrl }: { port: number; databaseUrl: string }) => ({
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on; 0.0.0.0 in a container' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: port, description: 'port to listen on' }),
  DATABASE_URL: Type.String({
    default: databaseUrl,
    pattern: '^(sqlite:|postgres(ql)?://|mysql://|mariadb://)',
    description: 'sqlite:<file>, postgres://... or mysql://...',
  }),
  DATABASE_POOL_SIZE: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    default: 10,
    description: 'maximum number of connections to the database; SQLite always uses one',
  }),
  DATABASE_READ_POOL_SIZE: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    default: 5,
    description:
      'maximum number of additional connections, which only read; public requests use these, so that they cannot take the connections that orders need',
  }),
  SEED_DEMO_DATA: Type.Boolean({
    default: false,
    description: 'creates demo data; never in production',
  }),
  LOG_LEVEL: Type.Enum(LOG_LEVELS, {
    default: 'info',
    description: `lowest level logged: ${LOG_LEVELS.join(', ')}`,
  }),
  TRUST_PROXY: Type.String({
    default: '',
    description: 'proxies whose X-Forwarded-For is trusted: addresses or networks, separated by commas',
  }),
  NODE_ENV: Type.String({
    default: 'development',
    description:
      'any value but `development` and `test` means production, which rejects demo data, secrets with a public default, the database password `admin`, and `FAILPOINT`',
  }),
  ...telemetrySettings,
})

/** The settings of services that verify access tokens. */
export const tokenSettings = {
  JWKS_URL: Type.String({
    default: 'http://localhost:8001/.well-known/jwks.json',
    pattern: '^https?://',
    description: 'URL of the public keys of access tokens',
  }),
}

/** The settings of services that batch their writes. */
export const batchSettings = {
  BATCHING: Type.Boolean({
    default: true,
    description: 'false processes every request in its own batch, to measure the gain of batching',
  }),
}

/** Returns the setting of a shared secret. `publicDefault` is in the public source code, so production rejects it. */
export const sharedSecret = (publicDefault: string, description: string) =>
  Type.String({ minLength: 32, default: publicDefault, description, publicDefault })

/** Returns the setting of a shared secret that is still accepted while the secret is being rotated. */
export const previousSecret = (publicDefault: string, description: string) =>
  Type.Optional(Type.String({ minLength: 32, description, publicDefault }))

type CommonSettings = ReturnType<typeof commonSettings>

/**
 * Reads a service's settings from the environment.
 *
 * @throws ConfigError when a setting is invalid; in production, also when demo data is enabled, or when a secret or the
 * password of the database is public
 */
export function readServiceSettings<P extends CommonSettings>(
  schema: TObject<P>,
  env?: Record<string, string | undefined>,
): Readonly<Static<TObject<P>>> {
  const config = readConfig(schema, env)
  checkProduction(schema, config as Record<string, unknown>)
  return config
}

function checkProduction(schema: TObject, config: Record<string, unknown>): void {
  if (!isProduction(config.NODE_ENV as string)) return
  if (config.SEED_DEMO_DATA)
    throw new ConfigError('SEED_DEMO_DATA creates users with a public password: unset it in production')
  for (const [name, value] of Object.entries(config)) {
    const setting = schema.properties[name] as { publicDefault?: string }
    if (value === setting.publicDefault)
      throw new ConfigError(`${name} has its public default: set a random value in production`)
  }
  if (passwordsIn(`${config.DATABASE_URL}`).includes('admin'))
    throw new ConfigError('DATABASE_URL has the public default password: set another password in production')
}

/** Returns the passwords in the URL of a database. The drivers also accept a password as a parameter of the query. */
function passwordsIn(url: string): string[] {
  if (!URL.canParse(url)) return []
  const { password, searchParams } = new URL(url)
  return [decodeURIComponent(password), ...searchParams.getAll('password')]
}
