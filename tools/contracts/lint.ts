import { relative } from 'node:path'
import { createConfig, lint } from '@redocly/openapi-core'

/** Redocly's recommended rules; each exception says why. */
const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    // Served from wherever the gateway is: a fixed host would be wrong everywhere else.
    'no-server-example.com': 'off',
    'no-empty-servers': 'off',
  },
})

/** What the linter complains of in a contract file, a line each. */
export async function lintContract(path: string): Promise<string[]> {
  const problems = await lint({ ref: path, config })
  return problems
    .filter(({ ignored }) => !ignored)
    .map(({ ruleId, message, location }) => {
      const where = location[0] && 'pointer' in location[0] ? location[0].pointer : ''
      return `${relative(process.cwd(), path)}${where}: ${message} (${ruleId})`
    })
}
