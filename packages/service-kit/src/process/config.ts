import { readFileSync } from 'node:fs'
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
 * `<NAME>_FILE` names a file that has the value, as secrets are handed to containers: an environment is seen by
 * whoever may inspect the container, and by every child process.
 *
 * @throws ConfigError naming every unusable variable, so that one restart mends all of them. Values are not
 *   repeated: they may be secrets.
 */
export function readConfig<P extends TProperties>(
  schema: TObject<P>,
  env: Record<string, string | undefined> = process.env,
): Readonly<Static<TObject<P>>> {
  const given = Object.fromEntries(
    Object.keys(schema.properties).flatMap((name) => {
      const value = settingOf(name, env)
      return value ? [[name, value]] : []
    }),
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

function settingOf(name: string, env: Record<string, string | undefined>): string | undefined {
  const file = env[`${name}_FILE`]
  if (!file) return env[name]
  // Whichever won, somebody would wonder why the other one is not heard.
  if (env[name]) throw new ConfigError(`${name} and ${name}_FILE are both set: choose one of them`)
  const text = textOf(file, `${name}_FILE`)
  // Not taken for unset: a default that everybody knows would stand in for a secret that was not written.
  if (!text) throw new ConfigError(`${name}_FILE names an empty file`)
  return text
}

function textOf(file: string, variable: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(`${variable}: ${(error as Error).message}`)
  }
}
