import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { createProduct, findOrder, placeOrder, sendOrder, type User } from '@souk/e2e/support/client'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { hasPrometheus, type Prometheus, startPrometheus } from './support/prometheus.ts'

const DASHBOARD = new URL('../monitoring/grafana/dashboards/souk.json', import.meta.url)
/** A rate has data after two scrapes, that is, after two seconds. The limit is higher for slow machines. */
const DATA_WITHIN_MS = 60_000
const SERVICES = ['users', 'products', 'orders'] as const

// The tests need a database server. With SQLite, a service has no connection pool and no metrics of a pool.
const engine = (await availableEngines()).find((one) => one !== 'sqlite')
const missing = [...(hasPrometheus() ? [] : ['Prometheus']), ...(engine ? [] : ['a database server'])]

describe('Monitoring:', { skip: missing.length > 0 && `not available: ${missing.join(', ')}` }, () => {
  let running: RunningShop
  let prometheus: Prometheus
  let metrics: Record<(typeof SERVICES)[number], string>
  let buyer: User
  let product: number
  let soldOut: number

  before(async () => {
    const ports = await freePorts(SERVICES.length)
    const targets = SERVICES.map((name, i) => [name, `127.0.0.1:${ports[i]}`] as const)
    metrics = Object.fromEntries(targets.map(([name, host]) => [name, `http://${host}`])) as typeof metrics
    running = await startShop(engine!, {
      gateway: nginxIsInstalled() ? 'nginx' : 'node',
      envOf: Object.fromEntries(SERVICES.map((name, i) => [name, { METRICS_PORT: `${ports[i]}` }])),
    })
    const seller = await running.shop.newSeller()
    product = await createProduct(seller, 1_000_000)
    soldOut = await createProduct(seller, 0)
    buyer = await running.shop.newBuyer()
    prometheus = await startPrometheus(Object.fromEntries(targets))
  })
  after(async () => {
    await prometheus?.stop()
    await running?.stop()
  })

  it('souk_orders_total counts the orders by outcome', async () => {
    await Promise.all([...Array(7).fill(product), soldOut, soldOut].map((id) => sendOrder(buyer, id)))
    const { body } = await rawRequest(metrics.orders, '/metrics')
    assert.match(body, /^souk_orders_total\{outcome="CONFIRMED"\} 7$/m)
    assert.match(body, /^souk_orders_total\{outcome="REJECTED"\} 2$/m)
    assert.match(body, /^souk_orders_undecided 0$/m)
  })

  it('metrics contain route patterns, and no path, id or name that a caller sent', async () => {
    const placed = await placeOrder(buyer, product)
    await findOrder(buyer, placed.id)
    await rawRequest(running.urls.orders, `/no-such-path/${placed.id}?q=${placed.id}`)
    const { body } = await rawRequest(metrics.orders, '/metrics')
    assert.match(body, /method="GET",route="\/orders\/:id",status="2xx"/)
    assert.match(body, /method="GET",route="none",status="4xx"/)
    assert.ok(![placed.id, 'no-such-path', buyer.id, buyer.username].some((sent) => body.includes(sent)))
  })

  it('every query of the dashboard returns data', async () => {
    const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
      panels: { targets: { expr: string }[] }[]
    }
    let without = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    assert.ok(without.length >= panels.length && panels.length > 0)
    const deadline = Date.now() + DATA_WITHIN_MS
    while (without.length > 0 && Date.now() < deadline) {
      await Promise.all([product, product, soldOut].map((id) => sendOrder(buyer, id)))
      await sleep(250)
      const results = await Promise.all(without.map((query) => prometheus.query(query)))
      without = without.filter((_query, i) => results[i]!.length === 0)
    }
    assert.deepEqual(without, [], 'queries without data')
  })

  it('Prometheus scrapes each service as a job with the name of the service', async () => {
    const up = (await prometheus.query('up')).map(({ labels, value }) => [labels.job, value])
    assert.deepEqual(Object.fromEntries(up), { users: 1, products: 1, orders: 1 })
  })

  it('only the metrics listeners serve the metrics, and a metrics listener serves nothing else', async () => {
    const spellings = [
      '/metrics',
      '//metrics',
      '/%6detrics',
      '/METRICS',
      '/metrics/',
      '/x/../metrics',
      '/metrics;x',
    ]
    for (const [listener, url] of Object.entries(running.urls)) {
      for (const path of spellings) {
        const { status, body } = await rawRequest(url, path)
        assert.ok(status === 404 || status === 400, `${listener} responded to ${path} with ${status}`)
        assert.ok(!body.includes('# HELP'))
      }
    }
    for (const url of Object.values(metrics)) {
      assert.equal((await rawRequest(url, '/metrics')).status, 200)
      assert.equal((await rawRequest(url, '/health/ready')).status, 404)
    }
  })
})
