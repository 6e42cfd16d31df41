/** The `Date` header of a response, in the types that HTTP clients return. */
export type DateHeader = string | string[] | null | undefined

/** The clock of another host. */
export interface RemoteClock {
  /** The time on that host in milliseconds since 1970. Before `learn` is called, the time on this host. */
  now(): number
  /** Sets the clock to the `Date` header of a response, which is in whole seconds. Ignores an invalid header. */
  learn(header: DateHeader): void
}

/**
 * Creates a clock that shows the time of another host. The expiry of a token must be set and checked with the same
 * clock. If two hosts do this, one of them uses this clock to follow the time of the other host (ADR 10). Between
 * responses, the clock advances with the monotonic clock of this host, which does not jump when the system time is
 * changed.
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
