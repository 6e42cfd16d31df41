import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The number of attempts allowed per window. Attempts that are still being checked count too. */
export interface AttemptLimits {
  windowSeconds: number
  accountAndAddress: number
  address: number
  account: number
  /** Per address. */
  registrations: number
}

/** A counter of attempts and its limit. */
export interface Bucket {
  name: string
  limit: number
}

/**
 * Returns the buckets that a login counts against. The limit per account stops an attacker who has many
 * addresses. It does not apply to addresses the account has logged in from, so a stranger cannot lock the
 * owner out.
 */
export const loginBuckets = (
  { username, network, known }: { username: string; network: string; known: boolean },
  limits: AttemptLimits,
): Bucket[] => [
  { name: pairBucket(username, network), limit: limits.accountAndAddress },
  { name: `address:${network}`, limit: limits.address },
  ...(known ? [] : [{ name: `account:${username}`, limit: limits.account }]),
]

/** The bucket that a successful login empties. */
export const pairBucket = (username: string, network: string) => `pair:${username}:${network}`

/** The bucket for guesses at the current password, made with an access token of the account. */
export const passwordChangeBucket = (username: string, limits: AttemptLimits): Bucket => ({
  name: `change:${username}`,
  limit: limits.accountAndAddress,
})

/** The bucket of registrations. Successful ones count too: each costs a password hash. */
export const registrationBucket = (network: string, limits: AttemptLimits): Bucket => ({
  name: `register:${network}`,
  limit: limits.registrations,
})

/** Long enough for a pending attempt to be decided, unless many are queued before it. */
const SECONDS_TO_DECIDE = 1

/**
 * Returns the seconds until no count exceeds its limit, or 0 when none does now. A bucket that is full of
 * decided attempts has room when its window ends. One with pending attempts may have room once they are decided.
 */
export function secondsToWait(
  counts: readonly { bucket: string; attempts: number; pending: number; expires_at: number }[],
  buckets: readonly Bucket[],
  now: number,
): number {
  const limits = new Map(buckets.map(({ name, limit }) => [name, limit]))
  const waits = counts.map(({ bucket, attempts, pending, expires_at }) => {
    const limit = limits.get(bucket) ?? 0
    if (attempts <= limit) return 0
    return attempts - pending < limit ? SECONDS_TO_DECIDE : Math.max(1, Math.ceil((expires_at - now) / 1000))
  })
  return Math.max(0, ...waits)
}

/**
 * Returns the network that an address is counted as: an IPv4 address itself, or the /64 of an IPv6 address,
 * which belongs to one customer. Text that is not an address is `unknown`, since proxies may send anything.
 */
export function networkOf(address: string): string {
  const withoutZone = address.replace(/%.*$/, '')
  if (!isIP(withoutZone)) return 'unknown'
  const parsed = ipaddr.process(withoutZone)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
