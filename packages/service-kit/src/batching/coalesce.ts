/**
 * Combines concurrent reads of the same query. For each key, one read is in flight and at most one waits for it to end.
 * All calls in the meantime share the waiting read. They do not share the read in flight, which may have started before
 * the last write of a caller and would then not return that write.
 *
 * @param keyOf returns equal keys for queries with the same result
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
