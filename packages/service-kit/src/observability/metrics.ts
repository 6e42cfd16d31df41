import { once } from 'node:events'
import { createServer } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, register } from '@prometheus-io/client'
import { type Labels, type Meter, telemetry } from './telemetry.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const ITEMS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/**
 * Starts to measure this process and serves `/metrics` on a separate port, which the gateway does not expose.
 *
 * @returns a function that closes the port
 */
export async function startMetrics(host: string, port: number): Promise<() => Promise<unknown>> {
  collectDefaultMetrics()
  telemetry.meter = prometheusMeter()
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return response.writeHead(404).end()
    response.setHeader('content-type', register.contentType)
    response.end(await register.metrics())
  })
  server.listen(port, host)
  await once(server, 'listening')
  return async () => {
    server.close()
    server.closeAllConnections()
  }
}

interface Reading {
  labels: Labels
  read: () => number | Promise<number>
}

function prometheusMeter(): Meter {
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests, by method, route and class of the status (such as 2xx)',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
  })
  const batches = new Histogram({
    name: 'souk_batch_size',
    help: 'Items in a batch',
    labelNames: ['batcher'],
    buckets: ITEMS,
  })
  const readingsOf = new Map<string, Reading[]>()
  return {
    counter: (name, help, label) => {
      const counter = new Counter({ name, help, labelNames: [label] })
      return (value) => counter.inc({ [label]: value })
    },
    gauge: (name, help, labels, read) => {
      const readings = readingsOf.get(name)
      if (readings) return void readings.push({ labels, read })
      const first = [{ labels, read }]
      readingsOf.set(name, first)
      registerGauge(name, help, first)
    },
    request: (method, route = 'none', status, ms) =>
      requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, ms / 1_000),
    batch: (batcher, items) => batches.observe({ batcher }, items),
  }
}

/** Registers a gauge that reads all `readings` at each scrape. More readings may be added to the array later. */
function registerGauge(name: string, help: string, readings: readonly Reading[]): void {
  new Gauge({
    name,
    help,
    labelNames: Object.keys(readings[0]!.labels),
    async collect() {
      for (const { labels, read } of readings) {
        try {
          this.set(labels, await read())
        } catch {
          // Omits only this value: an operator needs the other metrics, for example while the database is down.
          this.remove(labels)
        }
      }
    },
  })
}
