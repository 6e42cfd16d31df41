/** As clients of HTTP hand a header out. */
export type DateHeader = string | string[] | null | undefined

/** The time as another host has it. */
export interface RemoteClock {
  /** Milliseconds since 1970 there; our own clock's idea of it until we heard from there. */
  now(): number
  /** Takes the time from an answer's `Date`, which is whole seconds, rounded down. Nothing is learnt from none. */
  learn(header: DateHeader): void
}

/**
 * A clock that follows another host's, so that times which are set by one host and judged by another mean the same
 * on both. Between two answers it goes on by the monotonic clock, which nobody sets.
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
