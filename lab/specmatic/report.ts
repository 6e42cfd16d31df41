import type { Contract } from '@souk/service-kit/testing/contract'

/**
 * The operations of which a request of Specmatic need not succeed, because success needs a password, a token, the id of
 * an order, a session or a seller, or the current price of a product.
 */
const NEED_STATE = new Set([
  ...['post /auth/login', 'post /auth/refresh', 'put /users/me/password', 'delete /auth/sessions/{id}'],
  'get /sellers/{id}',
  ...['post /orders', 'get /orders/{id}', 'post /orders/{id}/cancel'],
])

/** One request that Specmatic sent. */
interface Case {
  /** For example `patch /products/{id}`. */
  operation: string
  /** What was special about the request. */
  name: string
  /** True if the request was valid, so that Specmatic expected a 2xx response. */
  isValid: boolean
  /** Why Specmatic rejects the response, if it does. */
  failure: string | undefined
}

/**
 * Returns a line for each fault of the system. Two kinds of failure are not faults:
 *
 * - A valid request receives another 2xx status, or a 4xx status, that the contract lists. Specmatic does not know which
 *   ids exist and which passwords are correct.
 * - A request with a string that ends in `_` succeeds. Specmatic appends `_` to make a string invalid, but some patterns
 *   allow `_`.
 *
 * An operation without any successful request is a fault too, because then the run shows little.
 */
export function faultsIn(cases: readonly Case[], contract: Contract): string[] {
  const succeeded = new Set(cases.filter((one) => one.isValid && !one.failure).map((one) => one.operation))
  const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  return [
    ...cases
      .filter((one) => one.failure && !isExpected(one, contract))
      .map((one) => `${one.name}\n  ${one.failure}`),
    ...operations
      .filter((operation) => !succeeded.has(operation) && !NEED_STATE.has(operation))
      .map((operation) => `No valid request succeeded: ${operation}`),
  ]
}

function isExpected({ operation, name, isValid, failure }: Case, contract: Contract): boolean {
  const [method, path] = operation.split(' ') as [string, string]
  if (!isValid) return /invalid regex '[^']*_\$'/.test(name) && /received 20\d$/.test(failure!)
  const status = failure!.match(/response contained status ([24]\d\d)$/)?.[1]
  return status !== undefined && status in contract.paths[path]![method]!.responses
}

/** Reads Specmatic's report, which is JUnit XML. */
export function casesOf(report: string): Case[] {
  return report
    .split('<testcase ')
    .slice(1)
    .map((element) => {
      const name = textIn(element.match(/ name="([^"]*)"/)?.[1] ?? '').replace(/^.*?contractTest\(\) > /, '')
      const [, sign, method, path] = name.match(/^([+-])ve +Scenario: (\w+) (\S+)/) ?? []
      if (!sign) throw new Error(`Specmatic reports a test without an operation: ${name}`)
      const failure = element.match(/<failure message="([^"]*)"/)?.[1]
      return {
        operation: `${method!.toLowerCase()} ${path!.replaceAll(/\((\w+):\w+\)/g, '{$1}')}`,
        name,
        isValid: sign === '+',
        failure: failure && textIn(failure).trim(),
      }
    })
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** Returns the text of an XML attribute. */
const textIn = (value: string) =>
  value.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code, name) =>
    code ? String.fromCodePoint(Number(code)) : (ENTITIES[name] ?? ''),
  )
