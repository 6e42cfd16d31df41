import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  context,
  DiagConsoleLogger,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { getRPCMetadata, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { type Tracer, telemetry } from './telemetry.ts'

/** The largest batch, whose orders are each a link. */
const LINKS = 256
/** Of a statement; those of large batches have a mark for each value. */
const SQL_LENGTH = 2_000
/** How long the last spans may take to leave: a collector that is away must not hold up the end. */
const FLUSH_MS = 2_000

/**
 * Traces this process from now on. Where to, and with which headers, is OpenTelemetry's to read from the environment
 * (`OTEL_EXPORTER_OTLP_*`), and more attributes of the service too (`OTEL_RESOURCE_ATTRIBUTES`).
 *
 * @param share of the traces that begin here, from 0 to 1; one that began elsewhere is kept or not as it was there
 * @returns how to end it
 */
export function startTracing(service: string, share: number): () => Promise<unknown> {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR)
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanLimits: { linkCountLimit: LINKS },
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  instrument()
  telemetry.tracer = openTelemetryTracer()
  return () => Promise.race([provider.shutdown(), sleep(FLUSH_MS, undefined, { ref: false })])
}

/** As in the log: somebody will send a password there. */
const WITHOUT_QUERY = { 'url.query': undefined }

/**
 * Requests that come in and go out. Neither needs a loader in front of the program: the one changes a class of
 * Node's, the other listens to undici's own channels.
 */
function instrument(): void {
  new HttpInstrumentation({
    disableOutgoingRequestInstrumentation: true,
    ignoreIncomingRequestHook: ({ url }) => url!.startsWith('/health/'),
    startIncomingSpanHook: () => WITHOUT_QUERY,
    responseHook: (span, response) => {
      if ('setHeader' in response) response.setHeader('traceresponse', traceResponse(span))
    },
  })
  // It acts when the module is asked for the next time.
  createRequire(import.meta.url)('node:http')
  new UndiciInstrumentation({
    requireParentforSpans: true,
    startSpanHook: ({ origin, path }) => ({ ...WITHOUT_QUERY, 'url.full': origin + path.split('?', 1)[0] }),
  })
}

/** What tells the caller its trace, if it did not begin it: W3C Trace Context Level 2 has it beside `traceparent`. */
function traceResponse(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`
}

function openTelemetryTracer(): Tracer {
  const tracer = trace.getTracer('souk')
  return {
    logFields() {
      const span = trace.getActiveSpan()?.spanContext()
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
    },

    route(pattern) {
      const request = getRPCMetadata(context.active())
      if (request && pattern !== undefined) request.route = pattern
    },

    statement(engine, sql, ms, error) {
      // The service's own housekeeping belongs to no request.
      if (!trace.getActiveSpan()) return
      const [operation] = sql.trimStart().split(/\s/, 1)
      const end = performance.timeOrigin + performance.now()
      const span = tracer.startSpan(`${operation} ${engine}`, {
        kind: SpanKind.CLIENT,
        startTime: end - ms,
        // With marks in place of values, which stay here.
        attributes: {
          'db.system.name': engine === 'postgres' ? 'postgresql' : engine,
          'db.operation.name': operation!,
          'db.query.text': sql.trim().slice(0, SQL_LENGTH),
        },
      })
      if (error) fail(span, error)
      span.end(end)
    },

    item(batcher, answer) {
      const span = tracer.startSpan(`wait ${batcher}`)
      answer.then(
        () => span.end(),
        (error: unknown) => {
          fail(span, error)
          span.end()
        },
      )
      return span
    },

    async batch(batcher, items, run) {
      const [first, ...others] = items as Span[]
      // In the trace of the first, so that an order that goes alone is one trace to its end. The others find their
      // batch by a link, and it finds them.
      const parent = first ? trace.setSpan(ROOT_CONTEXT, first) : ROOT_CONTEXT
      const links = others.map((item) => ({ context: item.spanContext() }))
      const span = tracer.startSpan(
        `batch ${batcher}`,
        { links, attributes: { items: items.length } },
        parent,
      )
      for (const item of others) item.addLink({ context: span.spanContext() })
      try {
        return await context.with(trace.setSpan(parent, span), run)
      } catch (error) {
        fail(span, error)
        throw error
      } finally {
        span.end()
      }
    },
  }
}

/** The kind of error alone: a driver's message may hold values. */
function fail(span: Span, error: unknown): void {
  const type = error instanceof Error ? error.name : typeof error
  span.setStatus({ code: SpanStatusCode.ERROR, message: type }).setAttribute('error.type', type)
}
