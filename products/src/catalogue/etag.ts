/** The ETag of a product's version. */
export const etag = (version: number): string => `"${version}"`

/**
 * The version that an `If-Match` demands; undefined for `*`, which any will do.
 *
 * A weak tag matches nothing, as RFC 9110 (section 13.1.1) has it, and neither does one that we never issued:
 * both give -1, which no product's version is.
 */
export function demandedVersion(ifMatch: string): number | undefined {
  if (ifMatch === '*') return undefined
  const [, version = '-1'] = /^"(\d{1,9})"$/.exec(ifMatch) ?? []
  return Number(version)
}
