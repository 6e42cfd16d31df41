import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { App } from '../src/http/app.ts'
import { addFormats } from '../src/http/validation.ts'

/** The parts of an OpenAPI document that the tests use. */
export interface Contract {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

export interface Operation {
  operationId: string
  parameters?: { in: string; name: string }[]
  requestBody?: object
  responses: Record<string, { content?: Record<string, { schema: object }> }>
  /** The access that the route declares: `public`, `optional`, `user` or the name of a role. */
  'x-access': string
}

/** A response that any HTTP client received, with the method and path of its request. */
export interface ReceivedResponse {
  method: string
  path: string
  status: number
  contentType: string | undefined
  body: string
}

/** Reads the committed contract `swagger/<name>.json`. */
export const readContract = (name: string): Contract =>
  JSON.parse(readFileSync(new URL(`../../../swagger/${name}.json`, import.meta.url), 'utf8'))

/** Returns a function that finds the path template (such as `/users/{id}`) of a path, or returns an empty string. */
export function templateFinder(contract: Contract): (path: string) => string {
  const templates = Object.keys(contract.paths)
    .map((template) => ({
      template,
      pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
    }))
    // A literal path (/users/me) has precedence over a template (/users/{id}).
    .sort((a, b) => +a.template.includes('{') - +b.template.includes('{'))
  return (path) => templates.find(({ pattern }) => pattern.test(path.split('?', 1)[0]!))?.template ?? ''
}

/**
 * Returns a function that checks a response against a contract: the operation must list the status and the media type,
 * and the body must match its schema. If the contract has no such operation, the response must be a problem document.
 */
export function contractChecker(contract: Contract): (response: ReceivedResponse) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema({ $id: 'contract', ...contract })
  const pointer = (...parts: string[]) =>
    `contract#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  const templateOf = templateFinder(contract)

  return ({ method: upperCase, path, status, contentType, body }) => {
    const where = `${upperCase} ${path} -> ${status}`
    const method = upperCase.toLowerCase()
    const mediaType = contentType?.split(';', 1)[0] ?? ''
    const template = templateOf(path)
    const operation = contract.paths[template]?.[method]
    let schema = pointer('components', 'schemas', 'Problem')
    if (operation) {
      const listed = operation.responses[status]
      assert.ok(listed, `${where} is not in the contract: ${body}`)
      // The contract does not describe the bytes of a picture.
      if (mediaType.startsWith('image/') && listed.content?.[mediaType]) return
      if (!listed.content) return assert.equal(body, '', `${where} should have no body`)
      assert.ok(
        listed.content[mediaType],
        `${where} has the media type ${mediaType || '(none)'}, which is not in the contract`,
      )
      schema = pointer('paths', template, method, 'responses', `${status}`, 'content', mediaType, 'schema')
    } else {
      assert.ok(status >= 400, `${where} succeeded but is not in the contract`)
      assert.equal(mediaType, 'application/problem+json', where)
    }
    const validate = ajv.getSchema(schema) ?? ajv.compile({ $ref: schema })
    assert.ok(validate(JSON.parse(body)), `${where}: ${ajv.errorsText(validate.errors)} in ${body}`)
  }
}

export type CheckedInject = (
  options: InjectOptions & { method: string; url: string },
) => Promise<LightMyRequestResponse>

/** Compiling a contract takes longer than most tests, so each contract is compiled once per process. */
const checkers = new Map<string, ReturnType<typeof contractChecker>>()

function checkerOf(name: string): ReturnType<typeof contractChecker> {
  const known = checkers.get(name) ?? contractChecker(readContract(name))
  checkers.set(name, known)
  return known
}

/** Returns a function that calls `app.inject` and checks the response against the contract `name`. */
export function checkedInject(app: App, name: string): CheckedInject {
  const check = checkerOf(name)
  return async (options) => {
    const response = await app.inject(options)
    check({
      method: options.method,
      path: options.url,
      status: response.statusCode,
      contentType: response.headers['content-type'] as string | undefined,
      body: response.body,
    })
    return response
  }
}
