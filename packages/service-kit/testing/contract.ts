import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { App } from '../src/http/app.ts'
import { addFormats } from '../src/http/validation.ts'

/** What the tests read of an OpenAPI document. */
export interface Contract {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

export interface Operation {
  operationId: string
  requestBody?: object
  responses: Record<string, { content?: Record<string, { schema: object }> }>
  /** Who may call it, as the route declared: `public`, `optional`, `user` or a role. */
  'x-access': string
}

/** An answer, however it was got. */
export interface Answer {
  method: string
  path: string
  status: number
  contentType: string | undefined
  body: string
}

/** The committed contract: `swagger/<name>.json`. */
export const readContract = (name: string): Contract =>
  JSON.parse(readFileSync(new URL(`../../../swagger/${name}.json`, import.meta.url), 'utf8'))

/**
 * Holds answers against a contract: the status is one that the operation lists, the body is of the media type
 * listed for it and fits its schema. What is no operation of the contract may only answer with a problem.
 */
export function contractChecker(contract: Contract): (answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema({ $id: 'contract', ...contract })
  const pointer = (...parts: string[]) =>
    `contract#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  const templates = Object.keys(contract.paths).map((template) => ({
    template,
    // A literal path (/users/me) wins over a template (/users/{id}).
    literal: !template.includes('{'),
    pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
  }))
  return ({ method, path, status, contentType, body }) => {
    const plain = path.split('?', 1)[0]!
    const found = templates
      .filter(({ pattern }) => pattern.test(plain))
      .sort((a, b) => +b.literal - +a.literal)[0]
    const operation = found && contract.paths[found.template]![method.toLowerCase()]
    const where = `${method} ${path} -> ${status}`
    const mediaType = contentType?.split(';', 1)[0] ?? ''
    let schema = pointer('components', 'schemas', 'Problem')
    if (operation) {
      const listed = operation.responses[status]
      assert.ok(listed, `${where} is not in the contract: ${body}`)
      if (!listed.content) return assert.equal(body, '', `${where} should have no body`)
      assert.ok(listed.content[mediaType], `${where} came as ${mediaType || 'nothing'}`)
      schema = pointer(
        'paths',
        found.template,
        method.toLowerCase(),
        'responses',
        `${status}`,
        'content',
        mediaType,
        'schema',
      )
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

const checkers = new Map<string, ReturnType<typeof contractChecker>>()

/** Compiling a contract takes longer than most tests: once a process is enough. */
function checkerOf(name: string): ReturnType<typeof contractChecker> {
  const known = checkers.get(name) ?? contractChecker(readContract(name))
  checkers.set(name, known)
  return known
}

/** `app.inject`, where every answer is held against the contract of `name`. */
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
