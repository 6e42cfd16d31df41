import { gzipSync } from 'node:zlib'
import type { Contract, Operation } from '@souk/service-kit/testing/contract'
import fc from 'fast-check'
import { JUNK, type Schema, SPOILING, spoiledJson, validValue } from './values.ts'

/** A request as bytes, with the method and path exactly as they are sent. */
export interface FuzzRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: Buffer | undefined
}

interface Parameter {
  in: 'path' | 'query' | 'header'
  name: string
  schema: Schema
}
type DescribedOperation = Omit<Operation, 'parameters' | 'requestBody'> & {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

/** Values that exist in the running system, so that some requests pass the first check. */
export interface KnownValues {
  /** Access tokens. The property names are the values of `x-access`. */
  tokens: Record<'BUYER' | 'SELLER', string>
  /** By the first part of the path. */
  ids: Record<string, (string | number)[]>
}

/** Returns requests to every operation of the contract: valid ones, and ones that differ from a valid one a little. */
export function anyRequest(contract: Contract, known: KnownValues): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(contract.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestTo(contract, known, method.toUpperCase(), template, operation as DescribedOperation),
    ),
  )
  return fc.oneof(...operations)
}

function requestTo(
  contract: Contract,
  { tokens, ids }: KnownValues,
  method: string,
  template: string,
  operation: DescribedOperation,
): fc.Arbitrary<FuzzRequest> {
  const resolve = (ref: string) => contract.components.schemas[ref.split('/').at(-1)!] as Schema
  const parameters = operation.parameters ?? []
  const values = (place: Parameter['in'], text: fc.Arbitrary<string>) =>
    fc.record(
      Object.fromEntries(
        parameters
          .filter((parameter) => parameter.in === place)
          .map(({ name, schema }) => [name, oftenValid(validValue(schema, resolve).map(String), text)]),
      ),
      { requiredKeys: [] },
    )
  const known = fc.constantFrom(...(ids[template.split('/')[1]!] ?? ['1'])).map(String)
  const id = fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: PATH_PART })
  const access = operation['x-access']
  const token = tokens[access === 'SELLER' ? 'SELLER' : 'BUYER']
  const [[mediaType, { schema }] = ['', {}]] = Object.entries(operation.requestBody?.content ?? {})
  return fc
    .record({
      id,
      query: oftenValid(values('query', QUERY_TEXT).map(queryOf), QUERY_STRING),
      headers: values('header', HEADER_TEXT),
      token: oftenValid(
        fc.constant({ authorization: `Bearer ${token}` }),
        tokenHeaders(Object.values(tokens)),
      ),
      conditions: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: CONDITIONS }),
      body: mediaType.startsWith('image/')
        ? oftenValid(PICTURE, bodyOf(JUNK))
        : schema
          ? bodyOf(validValue(schema, resolve))
          : oftenValid(fc.constant(NO_BODY), bodyOf(JUNK)),
    })
    .map(({ id, query, headers, token, conditions, body }) =>
      printable({
        method,
        path: template.replace('{id}', id).replace('{hash}', '0'.repeat(32)) + query,
        headers: { ...conditions, ...token, ...sendable(headers), ...body.headers },
        body: body.bytes,
      }),
    )
}

const SHOWN = 200

/** Returns the request with a short text, which fast-check prints when the request breaks a promise. */
const printable = (request: FuzzRequest) => ({
  ...request,
  [fc.toStringMethod]: () => {
    const { method, path, headers, body } = request
    const shown = JSON.stringify({
      ...headers,
      ...(body && { body: body.toString('latin1').slice(0, SHOWN) }),
    })
    return `${method} ${path} ${shown.replaceAll(/Bearer ey[\w.-]+/g, 'Bearer <token>')}`
  },
})

const oftenValid = <T>(valid: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: valid }, { weight: 1, arbitrary: other })

const sendable = (headers: Partial<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers as Record<string, string>).filter(([, value]) =>
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
    ),
  )

/** Text for URLs. `encodeURIComponent` throws an error for lone surrogates, so there are none. */
const URL_TEXT = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map(encodeURIComponent),
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%ff',
    '%c0%af',
    '%ed%a0%80',
    '%2e%2e',
    '%2f',
    '+',
    ';',
    '-1',
    '0',
    '1e3',
    '01',
    '9'.repeat(20),
  ),
)
// A path with `?` or `/` would be another operation.
const PATH_PART = fc
  .oneof(
    URL_TEXT,
    fc.uuid().map((id) => id.toUpperCase()),
  )
  .filter((part) => part !== '' && !/^(\.|%2e)+$/i.test(part) && !part.includes('%2f'))
const QUERY_TEXT = URL_TEXT.map((text) => `\t${text}`)
const QUERY_STRING = fc.oneof(
  URL_TEXT.map((text) => `?${text}`),
  fc.tuple(URL_TEXT, URL_TEXT).map(([a, b]) => `?limit=${a}&limit=${b}`),
  fc.constantFrom(
    '?',
    '?&',
    '?=',
    '?limit',
    '?limit[]=1',
    '?limit[a]=1',
    '?__proto__=1',
    '?utm_source=x',
    '?q=%00',
    '?cursor=',
  ),
)
/** Returns a query string. A value that begins with a tab is already encoded. */
const queryOf = (values: Partial<Record<string, string>>) => {
  const pairs = Object.entries(values as Record<string, string>).map(
    ([name, value]) =>
      `${name}=${value.startsWith('\t') ? value.slice(1) : encodeURIComponent(value.toWellFormed())}`,
  )
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

const ETAGS = ['*', '"1"', 'W/"1"', '"1", W/"2"', '""', '"', 'W/', '1', ',', '*, "1"', '"\u00e9"', '']
const DATES = ['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', 'yesterday', '0', '']
const HEADER_TEXT = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 300,
  }),
  fc.constantFrom(...ETAGS),
)
const CONDITIONS = fc.record(
  {
    'if-match': fc.constantFrom(...ETAGS),
    'if-none-match': fc.constantFrom(...ETAGS),
    'if-modified-since': fc.constantFrom(...DATES),
    'if-unmodified-since': fc.constantFrom(...DATES),
    'if-range': fc.constantFrom(...ETAGS, ...DATES),
    range: fc.constantFrom('bytes=0-0', 'bytes=5-', 'bytes=-1', 'bytes=9-1', 'bytes=0-0,2-2', 'lines=1', ''),
    accept: fc.constantFrom('text/html', 'image/*', 'application/json;q=0', '*/*', ',', ''),
    'accept-encoding': fc.constantFrom('gzip', 'br;q=1, *;q=0', 'identity;q=0', ''),
    'cache-control': fc.constantFrom('no-cache', 'only-if-cached', 'max-age=-1'),
    origin: fc.constantFrom('null', 'https://shop.example', 'x'),
  },
  { requiredKeys: [] },
)

function tokenHeaders(tokens: readonly string[]): fc.Arbitrary<Record<string, string>> {
  const value = fc.oneof(
    fc.constantFrom(...tokens).map((token) => `Bearer ${token}`),
    fc.constantFrom(
      '',
      'Bearer',
      'Bearer ',
      'Bearer x.y.z',
      'Basic eDp5',
      'bearer \u00e9',
      `Bearer ${'x'.repeat(5_000)}`,
    ),
  )
  return fc.record({ authorization: value, authentication: value }, { requiredKeys: [] })
}

interface Body {
  headers: Record<string, string>
  bytes: Buffer | undefined
}
const NO_BODY: Body = { headers: {}, bytes: undefined }

/** Some are pictures, at least at the beginning. */
const PICTURE: fc.Arbitrary<Body> = fc
  .record({
    type: fc.constantFrom('image/png', 'image/jpeg', 'image/webp', 'image/svg+xml', 'image/'),
    start: fc.constantFrom(
      '89504e470d0a1a0a0000000d49484452',
      'ffd8ffe0',
      '524946460000000057454250',
      '504b0304',
      '',
    ),
    rest: fc.uint8Array({ maxLength: 300 }),
    copies: fc.constantFrom(1, 1, 1, 2_000),
  })
  .map(({ type, start, rest, copies }) => ({
    headers: { 'content-type': type },
    bytes: Buffer.concat([Buffer.from(start, 'hex'), ...Array(copies).fill(rest)]),
  }))

/** What is wrong with the bytes of a body or with the headers that describe it. */
const ENCODINGS: Record<string, (json: string) => Body> = {
  'no body': () => NO_BODY,
  'an empty body': () => jsonBody(Buffer.alloc(0)),
  'no content type': (json) => ({ ...jsonBody(Buffer.from(json)), headers: {} }),
  'half of the text': (json) => jsonBody(Buffer.from(json.slice(0, json.length / 2))),
  'more after the end': (json) => jsonBody(Buffer.from(`${json}]`)),
  'a byte order mark': (json) => jsonBody(Buffer.from(`\ufeff${json}`)),
  'UTF-16': (json) => jsonBody(Buffer.from(json, 'utf16le')),
  'a byte that is not UTF-8': (json) =>
    jsonBody(Buffer.concat([Buffer.from(json.slice(0, 9)), Buffer.of(0xff), Buffer.from(json.slice(9))])),
  'a number with too many digits': (json) => jsonBody(Buffer.from(json.replace(/\d+/, '9'.repeat(400)))),
  'deep nesting': () => jsonBody(Buffer.from('[{"a":'.repeat(3_000))),
  'a large body': () => jsonBody(Buffer.from(`"${'x'.repeat(70_000)}"`)),
  'text/plain': (json) => jsonBody(Buffer.from(json), { 'content-type': 'text/plain' }),
  'a form': () => jsonBody(Buffer.from('a=1'), { 'content-type': 'application/x-www-form-urlencoded' }),
  'an invalid content type': (json) => jsonBody(Buffer.from(json), { 'content-type': 'json' }),
  'charset latin1': (json) =>
    jsonBody(Buffer.from(json, 'latin1'), { 'content-type': 'application/json; charset=latin1' }),
  'charset utf-8': (json) =>
    jsonBody(Buffer.from(json), { 'content-type': 'Application/JSON; Charset="UTF-8"' }),
  gzip: (json) => jsonBody(gzipSync(json), { 'content-encoding': 'gzip' }),
  'an unknown encoding': (json) => jsonBody(Buffer.from(json), { 'content-encoding': 'x' }),
  chunks: (json) => jsonBody(Buffer.from(json), { 'transfer-encoding': 'chunked' }),
}

const jsonBody = (bytes: Buffer, headers: Record<string, string> = {}): Body => ({
  headers: { 'content-type': 'application/json', ...headers },
  bytes,
})

function bodyOf(valid: fc.Arbitrary<unknown>): fc.Arbitrary<Body> {
  const json = fc.oneof(
    { weight: 3, arbitrary: valid.map((value) => JSON.stringify(value)) },
    {
      weight: 3,
      arbitrary: fc.tuple(valid, SPOILING).map(([value, spoiling]) => spoiledJson(value, spoiling)),
    },
    { weight: 1, arbitrary: JUNK.map((value) => JSON.stringify(value)) },
  )
  const encode = fc.oneof(
    { weight: 3, arbitrary: fc.constant((text: string) => jsonBody(Buffer.from(text))) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(ENCODINGS)) },
  )
  return fc.tuple(json, encode).map(([text, encoding]) => encoding(text))
}
