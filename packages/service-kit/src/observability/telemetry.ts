/** Records metrics. A label must have few different values, so it must not contain an id or a client's text. */
export interface Meter {
  /** Creates a counter with one label. The returned function adds one for a value of the label. */
  counter(name: string, help: string, label: string): (value: string) => void
  /**
   * Adds a gauge. `read` is called whenever Prometheus reads the metrics. Several gauges may have the same name and
   * different labels.
   */
  gauge(name: string, help: string, labels: Labels, read: () => number | Promise<number>): void
  /** Records a response. `route` is the pattern of the route, undefined if no route matched. */
  request(method: string, route: string | undefined, status: number, ms: number): void
  /** Records that a batcher, which combines concurrent items into batches, starts a batch. */
  batch(batcher: string, items: number): void
}

export type Labels = Record<string, string>

/** Records traces. Finds the current request through Node's async context. */
export interface Tracer {
  /** The ids of the current trace, for log lines. */
  logFields(): Labels
  /** Records the route pattern of the current request, undefined if no route matched. */
  route(pattern: string | undefined): void
  /** Records an SQL statement that has just ended after `ms` milliseconds, and its error if the statement failed. */
  statement(engine: string, sql: string, ms: number, error?: unknown): void
  /** Records the time that an item spends in a batcher: from now until the promise `result` is resolved or rejected. */
  item(batcher: string, result: Promise<unknown>): TracedItem
  /**
   * Runs and records a batch. The span of the batch is a child of the first item's span. Links connect the batch with
   * the spans of the other items.
   */
  batch<T>(batcher: string, items: readonly TracedItem[], run: () => Promise<T>): Promise<T>
}

/** The span of an item in a batcher. */
export type TracedItem = object

/**
 * The process's meter and tracer. `serve` sets them before it opens the database, if metrics or traces are configured.
 * Otherwise they are undefined, and the telemetry libraries are not loaded. They are global, because otherwise every
 * function that creates a batcher or a pool, even indirectly, would need a parameter for them.
 */
export const telemetry: { meter?: Meter; tracer?: Tracer } = {}
