/** What a test needs that calls all operations of a contract with all query parameters. */
import { readContract, templateFinder } from './contract.ts'

/**
 * Returns a function that records a call, and a function that returns what no recorded call has used: operations, and
 * query parameters as `<operationId>?<name>`.
 */
export function contractCoverage(name: string) {
  const contract = readContract(name)
  const templateOf = templateFinder(contract)
  const unused = new Set(
    Object.values(contract.paths)
      .flatMap((path) => Object.values(path))
      .flatMap(({ operationId, parameters = [] }) => [
        operationId,
        ...parameters.filter((one) => one.in === 'query').map((one) => `${operationId}?${one.name}`),
      ]),
  )
  return {
    record: (method: string, url: string): void => {
      const operation = contract.paths[templateOf(url)]?.[method.toLowerCase()]
      if (!operation) return
      unused.delete(operation.operationId)
      for (const parameter of new URL(url, 'http://localhost').searchParams.keys())
        unused.delete(`${operation.operationId}?${parameter}`)
    },
    missing: (): string[] => [...unused],
  }
}

/** Returns all combinations of the values of each parameter. The value undefined leaves the parameter out. */
export const combinations = (values: Record<string, readonly (string | number | undefined)[]>): string[] =>
  Object.entries(values)
    .reduce<URLSearchParams[]>(
      (queries, [name, choices]) =>
        queries.flatMap((query) =>
          choices.map((choice) => {
            const next = new URLSearchParams(query)
            if (choice !== undefined) next.set(name, `${choice}`)
            return next
          }),
        ),
      [new URLSearchParams()],
    )
    .map(String)

type Page = { nextCursor: string | null }

/** Returns the cursor of the last page of a list. `url` ends with a query, which may be empty. */
export async function lastCursor(get: (url: string) => Promise<Page>, url: string): Promise<string> {
  let last = ''
  for (let next: string | null = ''; next !== null; ) {
    last = next
    next = (await get(`${url}&limit=100${next && `&cursor=${next}`}`)).nextCursor
  }
  return last
}
