import type { Static, TObject, TProperties } from 'typebox'
import { Value } from 'typebox/value'

/** A setting in the environment that cannot be used. Its message names the variable and what was expected. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads the environment once into one typed, frozen value.
 *
 * Each property of `schema` is a variable's name; defaults come from the schema, text becomes numbers and
 * booleans where the schema says so. An empty variable counts as unset, as in a compose file's `${NAME:-}`.
 *
 * @throws ConfigError naming every unusable variable, so that one restart mends all of them. Values are not
 *   repeated: they may be secrets.
 */
export function readConfig<P extends TProperties>(
  schema: TObject<P>,
  env: Record<string, string | undefined> = process.env,
): Readonly<Static<TObject<P>>> {
  const given = Object.fromEntries(
    Object.keys(schema.properties).flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
  )
  const config = Value.Convert(schema, Value.Default(schema, given))
  const problems = [...Value.Errors(schema, config)].map((error) => {
    const name = error.instancePath.slice(1) || Object.values(error.params).flat().join(', ')
    const hint = schema.properties[name] as { description?: string } | undefined
    return `  ${name}: ${error.message}${hint?.description ? ` (${hint.description})` : ''}`
  })
  if (problems.length > 0) {
    throw new ConfigError(`Unusable configuration in the environment:\n${[...new Set(problems)].join('\n')}`)
  }
  return Object.freeze(config as Static<TObject<P>>)
}
