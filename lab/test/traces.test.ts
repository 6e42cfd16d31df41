import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { createProduct, sendOrder, type User } from '@souk/e2e/support/client'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { availableEngines, describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { type CollectedSpan, type Collector, openCollector } from '../support/collector.ts'

// Enough to share batches. The embedded gateway has at most 128 connections to a service; requests that wait for one would
// be assigned to the trace of another request.
const SIMULTANEOUS = 40
const SENTINEL = 'a-value-that-no-trace-may-contain'
const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** Places an order in a trace that the client starts. */
async function placeTraced(buyer: User, productId: number, key = hex(8)) {
  const [traceId, spanId] = [hex(16), hex(8)]
  const { status } = await buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity: 1 }] },
    headers: { traceparent: `00-${traceId}-${spanId}-01`, 'idempotency-key': key },
  })
  assert.equal(status, 201)
  return { traceId, spanId }
}

/** Returns the span and its ancestors from the root of the trace, as `<service> <name> > <service> <name>`. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  const name = `${span.service} ${span.name}`
  return parent ? `${pathOf(parent, spans)} > ${name}` : name
}

await describeOnEachEngine('tracing', (engine) => {
  let collector: Collector
  let running: RunningShop
  let single: { traceId: string; spanId: string }
  let many: { traceId: string }[]

  // The tests read the spans after the services have stopped, because a service sends its last spans when it ends.
  before(async () => {
    collector = await openCollector()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'info' }
    // On a busy machine, a booking can take longer than the default deadline. Its response would then be 202.
    running = await startShop(engine, { env, envOf: { orders: { BOOKING_DEADLINE_MS: '4000' } } })
    const { shop } = running
    const product = await createProduct(await shop.newSeller(), 1_000)
    const buyer = await shop.newBuyer()
    single = await placeTraced(buyer, product, SENTINEL)
    many = await Promise.all(Array.from({ length: SIMULTANEOUS }, () => placeTraced(buyer, product)))
    await shop.souk.get('/products', { params: { query: { q: SENTINEL } } })
    await running.system.stop()
  })
  after(async () => {
    await running.stop()
    await collector.close()
  })

  /** Returns the spans of a trace, sorted by start time. The order is not exact across services. */
  const inTrace = ({ traceId }: { traceId: string }) =>
    collector.spans
      .filter((span) => span.traceId === traceId)
      .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))

  // T1 stores the order. T2 books its units in the products service. T3 settles the order: it stores the status
  // CONFIRMED or REJECTED.
  const SERVED = 'gateway POST /orders > gateway POST > orders POST /orders'
  const WRITE = `${SERVED} > orders wait order-writes > orders batch order-writes`
  const CALL = `${SERVED} > orders wait booking-calls > orders batch booking-calls`
  const BOOKING = [
    `${CALL} > orders POST`,
    'products POST /bookings > products wait bookings > products batch bookings',
  ].join(' > ')

  it('the trace of an order shows that the order is stored (T1), booked in products (T2) and settled (T3)', () => {
    const spans = inTrace(single)
    const paths = spans.map((span) => pathOf(span, spans))
    const [first, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === single.spanId)
    assert.deepEqual([first?.service, first?.name, others], ['gateway', 'POST /orders', []])
    const batches = paths.filter((path) => [WRITE, CALL].includes(path))
    assert.deepEqual(
      // On a busy machine, the booking call may take too long and be repeated.
      batches.filter((path, i) => path !== batches[i - 1]),
      [WRITE, CALL, WRITE],
      `expected T1, the booking call and T3 in this order, found ${paths.join('\n')}`,
    )
    assert.ok(paths.includes(BOOKING), `expected T2 inside the booking call, found ${paths.join('\n')}`)
    const statements = (under: string) =>
      spans.filter(
        (span) => pathOf(span, spans).startsWith(`${under} > `) && 'db.query.text' in span.attributes,
      )
    const writes = statements(WRITE).length
    assert.ok(writes >= 2, `expected database writes for T1 and T3, found ${writes}`)
    assert.ok(statements(BOOKING).some((span) => /stock/.test(String(span.attributes['db.query.text']))))
  })

  // On a busy machine, a booking call may take too long and be repeated.
  const WAITS = /^wait order-writes(, wait booking-calls)+, wait order-writes$/

  it('the trace of an order that shared a batch with other orders links to the batch, and the batch links back', () => {
    const byId = new Map(collector.spans.map((span) => [span.spanId, span]))
    let linked = 0
    for (const order of many) {
      const spans = inTrace(order)
      const waits = spans.filter(({ service, name }) => service === 'orders' && name.startsWith('wait'))
      assert.match(waits.map(({ name }) => name).join(', '), WAITS)
      for (const wait of waits) {
        const [link] = wait.links
        const batch = link
          ? byId.get(link.spanId)
          : spans.find(({ parentSpanId }) => parentSpanId === wait.spanId)
        assert.equal(batch?.name, wait.name.replace('wait', 'batch'))
        if (!link) continue
        linked++
        assert.ok(
          batch!.links.some(({ spanId }) => spanId === wait.spanId),
          `the batch has no link to the span ${wait.spanId} of the order`,
        )
      }
    }
    assert.ok(linked > 0, 'no orders shared a batch')
  })

  it('traces contain no parameters of SQL statements and no query strings of requests', () => {
    assert.ok(collector.spans.some(({ name }) => name === 'GET /products'))
    assert.ok(!collector.bodies.some((body) => body.includes(SENTINEL)))
  })

  it('the log lines of gateway, orders and products contain the trace id of the request', () => {
    const lines = running.output.filter((line) => line.includes(single.traceId))
    for (const service of ['gateway', 'orders', 'products']) {
      const line = lines.find((text) => text.startsWith(`${service}: `))
      assert.ok(line, `${service} has no log line with the trace id`)
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
    const product = await createProduct(await running.shop.newSeller(), 1)
    const buyer = await running.shop.newBuyer()
    const placed = await sendOrder(buyer, product)
    assert.deepEqual([placed.status, placed.headers.get('traceresponse')], [201, null])
    requestId = placed.headers.get('x-request-id')
    await running.system.stop()
  })
  after(async () => {
    await running.stop()
    await collector.close()
  })

  it('nginx logs the trace id of an order, and that trace starts in the orders service and includes the products service', () => {
    const line = running.output.find(
      (text) => text.startsWith('gateway: ') && text.includes(`"${requestId}"`),
    )
    const { traceresponse } = JSON.parse(line!.slice('gateway: '.length))
    const [, traceId, spanId] = traceresponse.split('-')
    const spans = collector.spans.filter((span) => span.traceId === traceId)
    const [root] = spans.filter(({ parentSpanId }) => !parentSpanId)
    assert.partialDeepStrictEqual(root, { service: 'orders', name: 'POST /orders', spanId })
    const paths = spans.map((span) => pathOf(span, spans))
    const count = (name: string) => paths.filter((path) => path.endsWith(name)).length
    assert.ok(count('orders batch booking-calls') > 0, paths.join('\n'))
    assert.ok(count('products batch bookings') > 0, paths.join('\n'))
    const writes = count('orders batch order-writes')
    assert.ok(writes >= 2, `expected database writes for T1 and T3, found ${writes}`)
  })
})
