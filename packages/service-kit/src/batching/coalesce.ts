/**
 * Combines concurrent reads of the same query. For each key, at most one read is in flight and one read waits until the
 * read in flight has ended. Calls that arrive during a read share the waiting read. They do not share the read in
 * flight: if it started before the last write of a caller, its result does not contain that write.
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
    waiting.set(key, next)
    return next
  }
}
