/** Whatever is measured, for `/metrics`. Labels take few values each: never an id, never what a caller sent. */
export interface Meter {
  /** A counter with one label; call the answer with the label's value to count one. */
  counter(name: string, help: string, label: string): (value: string) => void
  /** A gauge, read when somebody asks; may be added to under the same name with other labels. */
  gauge(name: string, help: string, labels: Labels, read: () => number | Promise<number>): void
  /** A request was answered; `route` is the pattern, undefined where there is none. */
  request(method: string, route: string | undefined, status: number, ms: number): void
  /** A batch begins. */
  batch(batcher: string, items: number): void
}

export type Labels = Record<string, string>

/** Whatever is traced. All of it belongs to the request under way, which is known without being handed around. */
export interface Tracer {
  /** What names the trace under way in a log line. */
  logFields(): Labels
  /** The pattern of the route that the request under way goes to; undefined where there is none. */
  route(pattern: string | undefined): void
  /** A statement has just run, for `ms`; `error` is what it failed with. */
  statement(engine: string, sql: string, ms: number, error?: unknown): void
  /** An item waits for its batch and then in it, until `answer`. */
  item(batcher: string, answer: Promise<unknown>): TracedItem
  /** Runs a batch as a part of what its first item belongs to, linked with all the others. */
  batch<T>(batcher: string, items: readonly TracedItem[], run: () => Promise<T>): Promise<T>
}

export type TracedItem = object

/**
 * Set by `serve` before anything is opened, where metrics or traces are wanted; else there is nothing, and not even
 * their libraries are loaded. A process has one of each: handed in, they would go through every function on the way
 * to a batcher or a pool.
 */
export const telemetry: { meter?: Meter; tracer?: Tracer } = {}
