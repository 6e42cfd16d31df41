interface Page {
  items: unknown[]
  nextCursor: string | null
}

/** Returns the items of all pages, one after the other. `load` requests the page at a cursor. */
export async function* itemsOf(load: (cursor: string | undefined) => Promise<{ data: Page }>) {
  let cursor: string | undefined
  do {
    const { data } = await load(cursor)
    yield* data.items
    cursor = data.nextCursor ?? undefined
  } while (cursor !== undefined)
}

interface Init {
  params?: { query?: object }
}

/** Returns the parameters of a request with a cursor. */
export function withCursor(init: unknown, cursor: string | undefined): unknown {
  if (cursor === undefined) return init
  const { params, ...rest } = (init ?? {}) as Init
  return { ...rest, params: { ...params, query: { ...params?.query, cursor } } }
}
