import { relative } from 'node:path'
import { createConfig, lint } from '@redocly/openapi-core'

/** Redocly's strict recommended rules, except two, and a rule of our own. */
const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    // The contracts contain no host, because the address of the gateway differs between installations.
    'no-server-example.com': 'off',
    'no-empty-servers': 'off',
    // Specmatic (lab/specmatic) reads a quotation mark outside brackets as the start of a literal string.
    'rule/quotation-marks-in-brackets': {
      subject: { type: 'Schema', property: 'pattern' },
      assertions: { notPattern: '(^|[^[^])"' },
      message: 'A pattern must write a quotation mark as ["]',
    },
  },
})

/** Returns the linter's complaints about a contract file, one line each. */
export async function lintContract(path: string): Promise<string[]> {
  const problems = await lint({ ref: path, config })
  return problems
    .filter(({ ignored }) => !ignored)
    .map(({ ruleId, message, location }) => {
      const where = location[0] && 'pointer' in location[0] ? location[0].pointer : ''
      return `${relative(process.cwd(), path)}${where}: ${message} (${ruleId})`
    })
}
