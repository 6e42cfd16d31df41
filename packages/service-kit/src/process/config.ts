import { readFileSync } from 'node:fs'
import type { Static, TObject, TProperties } from 'typebox'
import { Value } from 'typebox/value'

/** An invalid setting. The message names the environment variable and the expected value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads the environment into a typed, frozen object.
 *
 * Each property of `schema` is the name of a variable; the schema gives its type and its default. An empty variable
 * counts as unset, as with `${NAME:-}` in a compose file. `<NAME>_FILE` names a file that contains the value. Use it
 * for secrets: the environment is visible to anyone who can inspect the container, and to every child process.
 *
 * @throws ConfigError naming all invalid variables, without their values, which may be secrets
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
  const config = Value.Convert(schema, Value.Default(schema, given))
  const problems = Value.Errors(schema, config).map((error) => {
    const name = error.instancePath.slice(1) || Object.values(error.params).flat().join(', ')
    const { description } = (schema.properties[name] ?? {}) as { description?: string }
    return `  ${name}: ${error.message}${description ? ` (${description})` : ''}`
  })
  if (problems.length > 0)
    throw new ConfigError(`Invalid configuration in the environment:\n${[...new Set(problems)].join('\n')}`)
  return Object.freeze(config as Static<TObject<P>>)
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
  // Does not count as unset: a public default would replace a secret that was not written.
  if (!text) throw new ConfigError(`${name}_FILE names an empty file`)
  return text
}
