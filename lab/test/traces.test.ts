import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { listProduct, type User } from '@souk/e2e/support/client'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { availableEngines, describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { type CollectedSpan, type Collector, openCollector } from '../support/collector.ts'

const SIMULTANEOUS = 40
const SENTINEL = 'a-value-that-no-trace-may-contain'
const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** Places an order in a trace that the client started. */
async function order(buyer: User, productId: number, key = hex(8)) {
  const [traceId, spanId] = [hex(16), hex(8)]
  const { status, headers } = await buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity: 1 }] },
    headers: { traceparent: `00-${traceId}-${spanId}-01`, 'idempotency-key': key },
  })
  assert.equal(status, 201)
  return { traceId, spanId, requestId: headers.get('x-request-id') }
}

/** The path of a span from its root, as `service name > service name`. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  const own = `${span.service} ${span.name}`
  return parent ? `${pathOf(parent, spans)} > ${own}` : own
}

await describeOnEachEngine('tracing', (engine) => {
  let collector: Collector
  let running: RunningShop
  let single: { traceId: string; spanId: string }
  let many: { traceId: string }[]

  /** Places all orders and stops the services first, because they send their last spans when they end. */
  before(async () => {
    collector = await openCollector()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'info' }
    running = await startShop(engine, { env })
    const { shop } = running
    const product = await listProduct(await shop.newSeller(), 1_000)
    const buyer = await shop.newBuyer()
    single = await order(buyer, product, SENTINEL)
    many = await Promise.all(Array.from({ length: SIMULTANEOUS }, () => order(buyer, product)))
    await shop.call('GET', `/products?q=${SENTINEL}`)
    await running.system.stop()
  })
  after(async () => {
    await running.stop()
    await collector.close()
  })

  /** The spans of a trace by start time. The order is exact within a service only, because clocks differ. */
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

  it('a trace that the client started shows all steps of a single order', () => {
    const spans = inTrace(single)
    const paths = spans.map((span) => pathOf(span, spans))
    const [first, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === single.spanId)
    assert.deepEqual([first?.service, first?.name, others], ['gateway', 'POST /orders', []])
    assert.deepEqual(
      paths.filter((path) => [WRITTEN, CALLED].includes(path)),
      [WRITTEN, CALLED, WRITTEN],
      `T1, the booking call and T3 in this order, not ${paths.join('\n')}`,
    )
    assert.ok(paths.includes(BOOKED), `T2 inside the booking call, not ${paths.join('\n')}`)
    const statements = (under: string) =>
      spans.filter(
        (span) => pathOf(span, spans).startsWith(`${under} > `) && 'db.query.text' in span.attributes,
      )
    assert.ok(statements(WRITTEN).length >= 2, 'T1 and T3')
    assert.ok(statements(BOOKED).some((span) => /stock/.test(String(span.attributes['db.query.text']))))
  })

  it('the trace of each of many simultaneous orders links to the batches that the order was in', () => {
    const all = new Map(collector.spans.map((span) => [span.spanId, span]))
    let linked = 0
    for (const one of many) {
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
          'the batch links back to the order',
        )
      }
    }
    assert.ok(linked > 0, 'some orders shared a batch')
  })

  it('traces hold no values of statements and no query strings', () => {
    assert.ok(collector.spans.some(({ name }) => name === 'GET /products'))
    assert.ok(!collector.text().includes(SENTINEL))
  })

  it('log lines contain the id of their trace', () => {
    const lines = running.output.filter((line) => line.includes(single.traceId))
    for (const service of ['gateway', 'orders', 'products']) {
      const line = lines.find((one) => one.startsWith(`${service}: `))
      assert.ok(line, `a log line of ${service}`)
      assert.equal(JSON.parse(line.slice(service.length + 2)).trace_id, single.traceId)
    }
  })
})

const noNginx =
  !(nginxIsInstalled() && (await availableEngines()).includes('postgres')) &&
  'not available: nginx or PostgreSQL'

describe('tracing behind nginx', { skip: noNginx }, () => {
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

  it('the log line of nginx names the trace, which starts at the service and shows T1, T2 and T3', () => {
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
