/** A `Date` header in the forms that HTTP clients use. */
export type DateHeader = string | string[] | null | undefined

/** The clock of another host. */
export interface RemoteClock {
  /** Milliseconds since 1970 on that host; our own time until the first `learn`. */
  now(): number
  /** Reads the time from a response's `Date` header, which has a resolution of one second. */
  learn(header: DateHeader): void
}

/**
 * Follows the clock of another host, so that a time means the same on the host that sets it and on the host that
 * checks it (ADR 10). Between two responses it advances with the monotonic clock, which nobody can set.
 */
export function remoteClock(): RemoteClock {
  let startedAt = Date.now() - performance.now()
  return {
    now: () => startedAt + performance.now(),
    learn: (header) => {
      const date = Date.parse(`${header}`)
      if (!Number.isNaN(date)) startedAt = date - performance.now()
    },
  }
}
