import { startTestServer } from './test-server.ts'

export interface CollectedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  attributes: Record<string, unknown>
  links: { traceId: string; spanId: string }[]
}

export interface Collector {
  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string
  spans: CollectedSpan[]
  /** The body of each request. */
  bodies: string[]
  close(): Promise<void>
}

/** Starts an OpenTelemetry collector for tests. It accepts traces as OTLP over HTTP in JSON and stores their spans. */
export async function openCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  const server = await startTestServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    bodies.push(body)
    const isTraces = request.url === '/v1/traces'
    if (isTraces) spans.push(...spansOf(JSON.parse(body)))
    response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}')
  })
  return { ...server, spans, bodies }
}

type Attributes = { key: string; value: Record<string, unknown> }[]

/** The parts of an OTLP request in JSON that the tests read. */
interface TraceRequest {
  resourceSpans: {
    resource: { attributes: Attributes }
    scopeSpans: { spans: (Omit<CollectedSpan, 'service' | 'attributes'> & { attributes: Attributes })[] }[]
  }[]
}

const spansOf = ({ resourceSpans }: TraceRequest): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name'])
    const spans = scopeSpans.flatMap((scope) => scope.spans)
    return spans.map(({ links = [], attributes, ...span }) => ({
      ...span,
      service,
      links,
      attributes: valuesOf(attributes),
    }))
  })

const valuesOf = (attributes: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
