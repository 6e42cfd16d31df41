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

/** Maximum number of links of a span. The span of a batch has links to its items, which are at most 256. */
const MAX_LINKS = 256
/** Longer statements are cut. The statement of a large batch is long, because it has a placeholder for each value. */
const MAX_SQL_LENGTH = 2_000
/** Maximum time to send the last spans, so that a collector that is down does not delay the shutdown for long. */
const FLUSH_MS = 2_000

/**
 * Starts to trace this process. OpenTelemetry reads the collector's address and headers (`OTEL_EXPORTER_OTLP_*`) and
 * further attributes of the service (`OTEL_RESOURCE_ATTRIBUTES`) from the environment.
 *
 * @param share the share of requests that are traced, from 0 to 1. It applies only to requests without a trace context.
 *   A request with a trace context is traced if its caller is traced
 * @returns a function that sends the last spans and stops tracing
 */
export function startTracing(service: string, share: number): () => Promise<unknown> {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR)
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanLimits: { linkCountLimit: MAX_LINKS },
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  instrument()
  telemetry.tracer = openTelemetryTracer()
  return () => Promise.race([provider.shutdown(), sleep(FLUSH_MS, undefined, { ref: false })])
}

/** Query strings are not recorded, because a client may put a password there by mistake. */
const WITHOUT_QUERY = { 'url.query': undefined }

/** Traces incoming and outgoing requests. Neither instrumentation needs a module loader hook. */
function instrument(): void {
  new HttpInstrumentation({
    disableOutgoingRequestInstrumentation: true,
    ignoreIncomingRequestHook: ({ url }) => url!.startsWith('/health/'),
    startIncomingSpanHook: () => WITHOUT_QUERY,
    responseHook: (span, response) => {
      if ('setHeader' in response) response.setHeader('traceresponse', traceResponse(span))
    },
  })
  // HttpInstrumentation patches node:http only when node:http is next required, so require it now.
  createRequire(import.meta.url)('node:http')
  new UndiciInstrumentation({
    requireParentforSpans: true,
    startSpanHook: ({ origin, path }) => ({ ...WITHOUT_QUERY, 'url.full': origin + path.split('?', 1)[0] }),
  })
}

/** The value of the response header `traceresponse`, which contains the trace id (W3C Trace Context Level 2). */
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
      // Statements of background work belong to no request and are not traced.
      if (!trace.getActiveSpan()) return
      const [operation] = sql.trimStart().split(/\s/, 1)
      const end = performance.timeOrigin + performance.now()
      const span = tracer.startSpan(`${operation} ${engine}`, {
        kind: SpanKind.CLIENT,
        startTime: end - ms,
        // The text contains placeholders, not values.
        attributes: {
          'db.system.name': engine === 'postgres' ? 'postgresql' : engine,
          'db.operation.name': operation!,
          'db.query.text': sql.trim().slice(0, MAX_SQL_LENGTH),
        },
      })
      if (error) fail(span, error)
      span.end(end)
    },

    item(batcher, result) {
      const span = tracer.startSpan(`wait ${batcher}`)
      void result.catch((error: unknown) => fail(span, error)).finally(() => span.end())
      return span
    },

    async batch(batcher, items, run) {
      const [first, ...others] = items as Span[]
      // The batch belongs to the trace of its first item, so that a batch of one item is in that item's trace. Links in
      // both directions connect the batch with the other items.
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

/** Records only the type of the error, because the message of a driver may contain values. */
function fail(span: Span, error: unknown): void {
  const type = error instanceof Error ? error.name : typeof error
  span.setStatus({ code: SpanStatusCode.ERROR, message: type }).setAttribute('error.type', type)
}
