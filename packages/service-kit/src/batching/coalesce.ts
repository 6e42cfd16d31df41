/**
 * Shares one read among callers who ask for the same while it waits for its turn: of each key one read is under
 * way and one waits, however many ask. What a caller gets was read after it asked, as without this; a read that is
 * under way already, which might miss what the caller itself has just written, is not joined.
 *
 * @param keyOf equal for queries with the same answer
 */
export function coalesce<Query, Result>(
  keyOf: (query: Query) => string,
  read: (query: Query) => Promise<Result>,
): (query: Query) => Promise<Result> {
  const waiting = new Map<string, Promise<Result>>()
  const underWay = new Map<string, Promise<unknown>>()
  return (query) => {
    const key = keyOf(query)
    const shared = waiting.get(key)
    if (shared) return shared
    const started = Promise.resolve(underWay.get(key)).then(() => {
      waiting.delete(key)
      const result = read(query)
      const ended = result
        .catch(() => {})
        .then(() => {
          if (underWay.get(key) === ended) underWay.delete(key)
        })
      underWay.set(key, ended)
      return result
    })
    waiting.set(key, started)
    return started
  }
}
