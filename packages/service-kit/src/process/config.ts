import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import type { Static, TObject, TProperties } from 'typebox'

/** An invalid setting. The message names the environment variable and the expected value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads the environment into a typed, frozen object.
 *
 * Each property of `schema` is the name of a variable, and its schema defines the type and the default. An empty
 * variable is treated as unset, because `${NAME:-}` in a compose file sets an empty variable. Instead of `<NAME>`,
 * `<NAME>_FILE` can be the path of a file that contains the value. Use a file for a secret: the environment is visible
 * to child processes and to anyone who can inspect the container.
 *
 * @throws ConfigError with the names of all invalid variables, without their values, which may be secrets
 */
export function readConfig<P extends TProperties>(
  schema: TObject<P>,
  env: Record<string, string | undefined> = process.env,
): Readonly<Static<TObject<P>>> {
  const given: Record<string, string> = {}
  for (const name of Object.keys(schema.properties)) {
    const value = readSetting(name, env)
    if (value) given[name] = value
  }
  // Converts the texts to the types of the schema and adds the defaults, both in `given`.
  const check = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, strict: false }).compile(
    schema,
  )
  check(given)
  const problems = (check.errors ?? []).map(({ instancePath, message, params }) => {
    const name: string = instancePath.slice(1) || params.missingProperty
    const { description } = (schema.properties[name] ?? {}) as { description?: string }
    return `  ${name}: ${message}${description ? ` (${description})` : ''}`
  })
  if (problems.length > 0)
    throw new ConfigError(`Invalid configuration in the environment:\n${[...new Set(problems)].join('\n')}`)
  return Object.freeze(given as unknown as Static<TObject<P>>)
}

function readSetting(name: string, env: Record<string, string | undefined>): string | undefined {
  const file = env[`${name}_FILE`]
  if (!file) return env[name]
  if (env[name]) throw new ConfigError(`${name} and ${name}_FILE are both set. Unset one of them.`)
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(`${name}_FILE: ${(error as Error).message}`)
  }
  // If an empty file counted as unset, the service would use the default, which is public for some secrets.
  if (!text) throw new ConfigError(`${name}_FILE names an empty file`)
  return text
}

/**
 * Whether the checks of production apply: always, unless `NODE_ENV` says otherwise. So a value that is misspelt, such as
 * `Production` or `prod`, does not turn them off.
 */
export const isProduction = (nodeEnv = ''): boolean => !['', 'development', 'test'].includes(nodeEnv)
