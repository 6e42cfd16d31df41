import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { it } from 'node:test'
import fc from 'fast-check'
import type { ContractGateway } from './contract-gateway.ts'

const ETAG = '"1"'
const MODIFIED = 'Mon, 01 Jan 2024 00:00:00 GMT'
const BEFORE = 'Mon, 01 Jan 2001 00:00:00 GMT'
const AFTER = 'Thu, 01 Jan 2099 00:00:00 GMT'

const ENTITY_TAGS = [ETAG, `W/${ETAG}`, '"x"', `"x", ${ETAG}`, '*', 'x']
const DATES = [BEFORE, MODIFIED, AFTER, 'x']
const CONDITIONS: [name: string, value: string][] = [
  ...['If-Match', 'If-None-Match'].flatMap((name) => ENTITY_TAGS.map((tag): [string, string] => [name, tag])),
  ...['If-Modified-Since', 'If-Unmodified-Since'].flatMap((name) =>
    DATES.map((date): [string, string] => [name, date]),
  ),
  ['Range', 'bytes=0-0'],
  ['Range', 'bytes=9999-'],
  ['If-Range', ETAG],
]
const EMPTY_CONDITIONS = [...new Set(CONDITIONS.map(([name]) => name))].map((name): [string, string] => [
  name,
  '',
])

const CATALOGUE = ['/products', '/products?limit=5', '/products/1']
const OTHERS = ['/', '/shop', '/openapi.json', '/health/live', '/nothing', '/users/me']

interface Conditional {
  method: 'GET' | 'HEAD'
  path: string
  headers: Record<string, string>
}

const requests = fc.array(
  fc.record<Conditional>({
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
    path: fc.constantFrom(...CATALOGUE, ...OTHERS),
    headers: fc
      .array(
        fc.constantFrom(...CONDITIONS, ...EMPTY_CONDITIONS, ['Authorization', 'Bearer a'] as [
          string,
          string,
        ]),
        {
          maxLength: 3,
        },
      )
      .map((headers) => Object.fromEntries(headers)),
  }),
  { minLength: 2, maxLength: 8 },
)

/** Tests that conditions in request headers (RFC 9110, section 13.1) break neither a response nor a connection. */
export function conditionsContract(gateway: ContractGateway): void {
  const respondWithValidators = () =>
    gateway.upstreams.products.respondWith((response) =>
      response
        .writeHead(200, {
          'content-type': 'application/json',
          etag: ETAG,
          'last-modified': MODIFIED,
          'content-length': 2,
        })
        .end('{}'),
    )

  it('ignores conditions and ranges on the catalogue', async () => {
    respondWithValidators()
    for (const path of CATALOGUE) {
      for (const [name, value] of CONDITIONS) {
        // nginx stores the response to this request, and does not store the response to a request with a condition.
        await gateway.send(path)
        const response = await gateway.send(path, { headers: { [name]: value } })
        assert.deepEqual([response.status, response.body], [200, '{}'], `${path} ${name}: ${value}`)
      }
    }
  })

  it('responds to each of several requests with conditions on one connection', async () => {
    respondWithValidators()
    await fc.assert(
      fc.asyncProperty(requests, async (list) => {
        // The agent sends a request on the open connection, unless the last response has closed it.
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        for (const one of list) assertExpected(one, await statusOf(gateway.origin, one, agent))
        agent.destroy()
      }),
      { numRuns: 40 },
    )
  })

  it('responds to each of several pipelined requests with conditions, or closes the connection', async () => {
    respondWithValidators()
    await fc.assert(
      fc.asyncProperty(requests, async (list) => {
        const last: Conditional = { method: 'GET', path: '/users/me', headers: { Connection: 'close' } }
        const all = [...list, last]
        const responses = splitResponses(await gateway.exchange(all.map(textOf).join('')), all)
        for (const [index, { status }] of responses.entries()) assertExpected(all[index]!, status)
        assert.ok(responses.at(-1)?.closes)
      }),
      { numRuns: 40 },
    )
  })
}

/** A path of the gateway itself may respond 304 or 412. nginx responds 412 to an empty condition on the catalogue. */
function assertExpected({ path, headers }: Conditional, status: number): void {
  const hasEmpty = Object.values(headers).includes('')
  const expected =
    path === '/nothing' ? [404] : CATALOGUE.includes(path) && !hasEmpty ? [200] : [200, 304, 412]
  assert.ok(expected.includes(status), `${path} ${JSON.stringify(headers)}: ${status}`)
}

function statusOf(origin: string, { method, path, headers }: Conditional, agent: Agent): Promise<number> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5_000)
    request({ hostname, port, path, method, headers, agent, signal }, (response) =>
      response.resume().on('end', () => resolve(response.statusCode!)),
    )
      .on('error', reject)
      .end()
  })
}

const textOf = ({ method, path, headers }: Conditional): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n')

/** Splits the bytes of a connection into the responses to `sent`. */
function splitResponses(bytes: string, sent: readonly Conditional[]): { status: number; closes: boolean }[] {
  const responses = []
  for (let rest = bytes; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n') + 4
    const head = rest.slice(0, end)
    const status = Number(head.slice(9, 12))
    const hasBody = status !== 304 && sent[responses.length]?.method !== 'HEAD'
    const length = hasBody ? Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0) : 0
    responses.push({ status, closes: /^connection: close/im.test(head) })
    rest = rest.slice(end + length)
  }
  return responses
}
