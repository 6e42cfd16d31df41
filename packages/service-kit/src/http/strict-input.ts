/**
 * Input is rejected, never repaired: text that would be changed by decoding it, and JSON that two parsers may read
 * differently. Otherwise two different passwords or keys could become the same.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { type FieldError, HttpProblem } from './problem.ts'
import type { App } from './schema.ts'
import { pointerToken, validationFailed } from './validation.ts'

/** Makes the app accept only bodies of JSON in UTF-8 (RFC 8259, section 8.1). */
export function registerJsonParser(app: App): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    checkEncoding(request.headers)
    done(null, parseJson(body))
  })
}

/** Matches a content type with a charset other than UTF-8. */
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i

/** @throws HttpProblem 415 for a charset other than UTF-8 and for a compressed body */
function checkEncoding(headers: IncomingHttpHeaders): void {
  if (OTHER_CHARSET.test(headers['content-type']!))
    throw new HttpProblem(415, 'unsupported-media-type', 'Send the body in the charset UTF-8.')
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    const detail = 'Send the body without a content encoding.'
    throw new HttpProblem(415, 'unsupported-encoding', detail, { headers: { 'accept-encoding': 'identity' } })
  }
}

const invalidJson = (detail: string) => new HttpProblem(400, 'invalid-json', detail)

/** @throws HttpProblem 400 `invalid-json` or `validation-failed` */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw invalidJson('The body is empty. Send a JSON document.')
  if (!isUtf8(body)) throw invalidJson('The body is not valid UTF-8.')
  const text = body.toString()
  const value = tryParse(text)
  checkKeys(text)
  if (text.includes('\\u')) checkStrings(value)
  return value
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidJson('The body is not valid JSON.')
  }
}

/** The strings of a JSON text, each with its colon if it is a key, and the braces of the objects. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}]/g

/** Keys that have a meaning for JavaScript. */
const RESERVED_KEYS = ['__proto__', 'constructor']

/**
 * Rejects a key that occurs twice in an object, because `JSON.parse` returns only its last value, and reserved keys.
 * Takes 0.6 µs for an order with one line.
 *
 * @param text valid JSON
 */
function checkKeys(text: string): void {
  const keysOfOpenObjects: Set<string>[] = []
  for (const token of text.match(TOKENS) ?? []) {
    if (token === '{') keysOfOpenObjects.push(new Set())
    else if (token === '}') keysOfOpenObjects.pop()
    else if (token.endsWith(':')) addKey(decodeKey(token.slice(0, -1).trimEnd()), keysOfOpenObjects.at(-1)!)
  }
}

const decodeKey = (token: string): string => (token.includes('\\') ? JSON.parse(token) : token.slice(1, -1))

function addKey(key: string, keys: Set<string>): void {
  if (keys.has(key)) throw invalidJson(`An object in the body has the key ${JSON.stringify(key)} twice.`)
  if (RESERVED_KEYS.includes(key)) throw invalidJson(`The key "${key}" is not allowed in the body.`)
  keys.add(key)
}

/** Rejects strings that no database can store: UTF-8 cannot represent lone surrogates, and PostgreSQL rejects U+0000. */
function checkStrings(body: unknown): void {
  const errors: FieldError[] = []
  // The loop also visits the members that it appends. Recursion could overflow the stack for a deeply nested body.
  const pending: [pointer: string, value: unknown][] = [['#', body]]
  for (const [pointer, value] of pending) {
    if (typeof value === 'string' && !isStorable(value)) errors.push(unstorable(pointer))
    if (typeof value !== 'object' || value === null) continue
    for (const [key, member] of Object.entries(value)) {
      if (!isStorable(key)) errors.push(unstorable(pointer))
      pending.push([`${pointer}/${pointerToken(key)}`, member])
    }
  }
  if (errors.length > 0) throw validationFailed(errors)
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')

const unstorable = (pointer: string): FieldError => ({
  pointer,
  in: 'body',
  detail: 'must not contain lone surrogates or the character U+0000',
})

/**
 * Checks that a URL has only ASCII characters, and that its percent-encoding decodes to UTF-8 without U+0000. The
 * parser of queries would leave other encodings as they are.
 *
 * @throws HttpProblem 400 `invalid-url`
 */
export function checkUrl(url: string): void {
  if (/^[\x21-\x7e]*$/.test(url) && (!url.includes('%') || isDecodable(url))) return
  throw new HttpProblem(400, 'invalid-url', 'The URL cannot be decoded. Check its percent-encoding.')
}

function isDecodable(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\0')
  } catch {
    return false
  }
}
