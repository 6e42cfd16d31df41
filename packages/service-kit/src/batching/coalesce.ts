/**
 * Wraps `read`, so that concurrent calls for the same key share a read. For each key, at most one read is in flight.
 * All calls that arrive during this read share the next read, which starts when the read in flight has ended. These
 * calls cannot share the read in flight, because its result may lack a write that was committed before the call.
 *
 * @param keyOf returns the same key for queries with the same result
 */
export function coalesce<Query, Result>(
  keyOf: (query: Query) => string,
  read: (query: Query) => Promise<Result>,
): (query: Query) => Promise<Result> {
  const waiting = new Map<string, Promise<Result>>()
  const inFlight = new Map<string, Promise<unknown>>()

  const readNext = async (key: string, query: Query): Promise<Result> => {
    await inFlight.get(key)
    waiting.delete(key)
    const result = read(query)
    const ended = result.catch(() => {}).finally(() => inFlight.delete(key))
    inFlight.set(key, ended)
    return result
  }

  return (query) => {
    const key = keyOf(query)
    const next = waiting.get(key) ?? readNext(key, query)
    // `readNext` pauses at its `await`, so this line runs before `readNext` deletes the entry.
    waiting.set(key, next)
    return next
  }
}
