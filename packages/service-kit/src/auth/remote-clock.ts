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
 * Creates a clock that shows the time of another host. If one host sets the expiry of a token and another host checks
 * the expiry, one of the two must use the time of the other (ADR 10). Between calls of `learn`, the clock advances with
 * the monotonic clock of this host, which does not jump when the system time is changed.
 */
export function remoteClock(): RemoteClock {
  /** The time on the other host minus `performance.now()`. */
  let offset = Date.now() - performance.now()
  return {
    now: () => offset + performance.now(),
    learn: (header) => {
      const date = Date.parse(`${header}`)
      if (!Number.isNaN(date)) offset = date - performance.now()
    },
  }
}
