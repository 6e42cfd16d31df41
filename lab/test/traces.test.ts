import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { listProduct, type Person } from '@souk/e2e/support/client'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { availableEngines, describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { type CollectedSpan, type Collector, openCollector } from '../support/collector.ts'

const CROWD = 40
const WORD = 'a-word-that-nobody-should-keep'
const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** An order in a trace that a client began. */
async function order(buyer: Person, productId: number, key = hex(8)) {
  const [traceId, spanId] = [hex(16), hex(8)]
  const { status, headers } = await buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity: 1 }] },
    headers: { traceparent: `00-${traceId}-${spanId}-01`, 'idempotency-key': key },
  })
  assert.equal(status, 201)
  return { traceId, spanId, requestId: headers.get('x-request-id') }
}

/** A span with all above it, as `service name > service name`. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  const own = `${span.service} ${span.name}`
  return parent ? `${pathOf(parent, spans)} > ${own}` : own
}

await describeOnEachEngine('traces', (engine) => {
  let collector: Collector
  let running: RunningShop
  let alone: { traceId: string; spanId: string }
  let crowd: { traceId: string }[]

  /** Everything is done first: the last spans come when the services end. */
  before(async () => {
    collector = await openCollector()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'info' }
    running = await startShop(engine, { env })
    const { shop } = running
    const product = await listProduct(await shop.newSeller(), 1_000)
    const buyer = await shop.newBuyer()
    alone = await order(buyer, product, WORD)
    crowd = await Promise.all(Array.from({ length: CROWD }, () => order(buyer, product)))
    await shop.call('GET', `/products?q=${WORD}`)
    await running.system.stop()
  })
  after(async () => {
    await running.stop()
    await collector.close()
  })

  /** Those of one service in their order; between services the clocks of two processes are not that exact. */
  const inTrace = ({ traceId }: { traceId: string }) =>
    collector.spans
      .filter((span) => span.traceId === traceId)
      .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))

  const SERVED = 'gateway POST /orders > gateway POST > orders POST /orders'
  const WRITTEN = `${SERVED} > orders wait order-writes > orders batch order-writes`
  const CALLED = `${SERVED} > orders wait booking-calls > orders batch booking-calls`
  const BOOKED = [
    `${CALLED} > orders POST`,
    'products POST /bookings > products wait bookings > products batch bookings',
  ].join(' > ')

  it('show the whole way of an order that goes alone in one, which the client began', () => {
    const spans = inTrace(alone)
    const paths = spans.map((span) => pathOf(span, spans))
    const [first, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === alone.spanId)
    assert.deepEqual([first?.service, first?.name, others], ['gateway', 'POST /orders', []])
    assert.deepEqual(
      paths.filter((path) => [WRITTEN, CALLED].includes(path)),
      [WRITTEN, CALLED, WRITTEN],
      `T1, the call and T3 in their order, not ${paths.join('\n')}`,
    )
    assert.ok(paths.includes(BOOKED), `and in it T2, not ${paths.join('\n')}`)
    const statements = (under: string) =>
      spans.filter(
        (span) => pathOf(span, spans).startsWith(`${under} > `) && 'db.query.text' in span.attributes,
      )
    assert.ok(statements(WRITTEN).length >= 2, 'T1 and T3')
    assert.ok(statements(BOOKED).some((span) => /stock/.test(String(span.attributes['db.query.text']))))
  })

  it('show each order of a crowd to its end, and lead to the batches that it was in', () => {
    const all = new Map(collector.spans.map((span) => [span.spanId, span]))
    let linked = 0
    for (const one of crowd) {
      const spans = inTrace(one)
      const waits = spans.filter(({ service, name }) => service === 'orders' && name.startsWith('wait'))
      assert.deepEqual(
        waits.map(({ name }) => name),
        ['wait order-writes', 'wait booking-calls', 'wait order-writes'],
      )
      for (const wait of waits) {
        const [link] = wait.links
        const batch = link
          ? all.get(link.spanId)
          : spans.find(({ parentSpanId }) => parentSpanId === wait.spanId)
        assert.equal(batch?.name, wait.name.replace('wait', 'batch'))
        if (!link) continue
        linked++
        assert.ok(
          batch!.links.some(({ spanId }) => spanId === wait.spanId),
          'and back',
        )
      }
    }
    assert.ok(linked > 0, 'some of them shared a batch')
  })

  it('keep the values of statements and the queries of addresses to themselves', () => {
    assert.ok(collector.spans.some(({ name }) => name === 'GET /products'))
    assert.ok(!collector.text().includes(WORD))
  })

  it('are named in the lines of the log', () => {
    const lines = running.output.filter((line) => line.includes(alone.traceId))
    for (const service of ['gateway', 'orders', 'products']) {
      const line = lines.find((one) => one.startsWith(`${service}: `))
      assert.ok(line, `a line of ${service}`)
      assert.equal(JSON.parse(line.slice(service.length + 2)).trace_id, alone.traceId)
    }
  })
})

const noNginx =
  !(nginxIsInstalled() && (await availableEngines()).includes('postgres')) && 'no nginx or no PostgreSQL here'

describe('traces behind nginx', { skip: noNginx }, () => {
  let collector: Collector
  let running: RunningShop
  let requestId: string | null

  before(async () => {
    collector = await openCollector()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    running = await startShop('postgres', { gateway: 'nginx', env })
    const product = await listProduct(await running.shop.newSeller(), 1)
    const buyer = await running.shop.newBuyer()
    const body = { lines: [{ productId: product, quantity: 1 }] }
    const placed = await buyer.call('POST', '/orders', { body })
    assert.deepEqual([placed.status, placed.headers.get('traceresponse')], [201, null])
    requestId = placed.headers.get('x-request-id')
    await running.system.stop()
  })
  after(async () => {
    await running.stop()
    await collector.close()
  })

  it('begin at the service, and nginx’s line of the log leads to it and so to T1, T2 and T3', () => {
    const line = running.output.find((one) => one.startsWith('gateway: ') && one.includes(`"${requestId}"`))
    const { traceresponse } = JSON.parse(line!.slice('gateway: '.length))
    const [, traceId, spanId] = traceresponse.split('-')
    const spans = collector.spans.filter((span) => span.traceId === traceId)
    const [root] = spans.filter(({ parentSpanId }) => !parentSpanId)
    assert.partialDeepStrictEqual(root, { service: 'orders', name: 'POST /orders', spanId })
    const paths = spans.map((span) => pathOf(span, spans))
    for (const batch of [
      'orders batch order-writes',
      'orders batch booking-calls',
      'products batch bookings',
    ])
      assert.ok(
        paths.some((path) => path.endsWith(batch)),
        `${batch} is not in\n${paths.join('\n')}`,
      )
    assert.equal(paths.filter((path) => path.endsWith('orders batch order-writes')).length, 2, 'T1 and T3')
  })
})
