/** Records metrics. Labels have few values each: never an id, never text that a client sent. */
export interface Meter {
  /** Creates a counter with one label. Call the returned function with a label value to count one. */
  counter(name: string, help: string, label: string): (value: string) => void
  /** Adds a gauge, which is read on each scrape. Several may share a name and differ in their labels. */
  gauge(name: string, help: string, labels: Labels, read: () => number | Promise<number>): void
  /** Records a response. `route` is the pattern, undefined if none matched. */
  request(method: string, route: string | undefined, status: number, ms: number): void
  /** Records the start of a batch. */
  batch(batcher: string, items: number): void
}

export type Labels = Record<string, string>

/** Records traces. Every method applies to the current request, which is found through the async context. */
export interface Tracer {
  /** The ids of the current trace, for log lines. */
  logFields(): Labels
  /** Records the route pattern of the current request, undefined if none matched. */
  route(pattern: string | undefined): void
  /** Records a statement that just ended after `ms`, and its error if it failed. */
  statement(engine: string, sql: string, ms: number, error?: unknown): void
  /** Records the time of an item in a batcher, from now until `result` settles. */
  item(batcher: string, result: Promise<unknown>): TracedItem
  /** Runs a batch as a child of its first item, linked with the others. */
  batch<T>(batcher: string, items: readonly TracedItem[], run: () => Promise<T>): Promise<T>
}

export type TracedItem = object

/**
 * The process's meter and tracer. `serve` sets them before it opens anything, if metrics or traces are configured.
 * Otherwise they are undefined and their libraries are not loaded. They are global because batchers and pools would
 * need them as a parameter of every function on the way.
 */
export const telemetry: { meter?: Meter; tracer?: Tracer } = {}
