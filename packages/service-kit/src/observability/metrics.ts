import { once } from 'node:events'
import { createServer } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, register } from '@prometheus-io/client'
import { type Labels, type Meter, telemetry } from './telemetry.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const ITEMS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/**
 * Measures this process from now on, and shows it at `/metrics` on a listener of its own, which no gateway knows.
 *
 * @returns how to end the listener
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

function prometheusMeter(): Meter {
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Requests by their route and the class of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
  })
  const batches = new Histogram({
    name: 'souk_batch_size',
    help: 'Items that a batch carries',
    labelNames: ['batcher'],
    buckets: ITEMS,
  })
  return {
    counter: (name, help, label) => {
      const counter = new Counter({ name, help, labelNames: [label] })
      return (value) => counter.inc({ [label]: value })
    },
    gauge: gauges(),
    request: (method, route = 'none', status, ms) =>
      requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, ms / 1_000),
    batch: (batcher, items) => batches.observe({ batcher }, items),
  }
}

function gauges(): Meter['gauge'] {
  const known = new Map<string, { labels: Labels; read: () => number | Promise<number> }[]>()
  return (name, help, labels, read) => {
    const reads = known.get(name) ?? []
    reads.push({ labels, read })
    if (known.has(name)) return
    known.set(name, reads)
    new Gauge({
      name,
      help,
      labelNames: Object.keys(labels),
      async collect() {
        for (const { labels, read } of reads) {
          try {
            this.set(labels, await read())
          } catch {
            // Absent, as it cannot be told just now; the other metrics are wanted then more than ever.
            this.remove(labels)
          }
        }
      },
    })
  }
}
