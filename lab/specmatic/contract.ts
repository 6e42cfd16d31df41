import type { Contract, Operation } from '@souk/service-kit/testing/contract'

/** The parts of an operation that `contractForSpecmatic` changes. */
interface Secured extends Omit<Operation, 'parameters'> {
  security?: object[]
  parameters?: { name: string }[]
}

/** The security scheme of each access. Specmatic reads the token of a scheme from the variable with the scheme's name. */
const SCHEME_OF: Record<string, string> = { BUYER: 'buyer', SELLER: 'seller', user: 'buyer' }

/**
 * Returns a copy of the contract in which Specmatic's random requests can succeed:
 *
 * - Each operation requires the token of a role that may call it. Specmatic has one token for each security scheme.
 * - The operations of pictures are missing, because Specmatic has no pictures to send.
 * - No operation has a cursor, because only a response can contain a valid cursor.
 * - Patterns with `\u` are missing, because Specmatic does not understand `\u` and generates strings that do not match.
 */
export function contractForSpecmatic(contract: Contract): Contract {
  const copy = structuredClone(contract) as Contract & { components: { securitySchemes: object } }
  const scheme = { type: 'http', scheme: 'bearer' }
  copy.components.securitySchemes = { buyer: scheme, seller: scheme }
  for (const path of Object.keys(copy.paths)) if (/\/images?\b/.test(path)) delete copy.paths[path]
  for (const methods of Object.values(copy.paths))
    for (const operation of Object.values(methods) as Secured[]) {
      const name = SCHEME_OF[operation['x-access']]
      operation.security = name ? [{ [name]: [] }] : []
      operation.parameters = (operation.parameters ?? []).filter((parameter) => parameter.name !== 'cursor')
    }
  return JSON.parse(JSON.stringify(copy), (key, value) =>
    key === 'pattern' && value.includes('\\u') ? undefined : value,
  )
}
