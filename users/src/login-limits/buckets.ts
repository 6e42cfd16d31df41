import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The number of attempts allowed per window. Pending attempts, whose password is still being checked, count too.
 * Addresses in the same network count as one address (see `networkOf`).
 */
export interface AttemptLimits {
  windowSeconds: number
  /** Wrong passwords for one account from one address. */
  accountAndAddress: number
  /** Logins from one address with a right or a wrong password, for all accounts together. */
  address: number
  /** Wrong passwords for one account, except from addresses that logged in to the account in the last 30 days. */
  account: number
  /** Registrations from one address. */
  registrations: number
}

/** A counter of attempts and its limit. */
export interface Bucket {
  name: string
  limit: number
  /** Whether successful attempts stay counted too. */
  countsSuccesses?: true
}

/**
 * Returns the buckets in which a login is counted. The limit per account stops an attacker with many addresses. This
 * limit does not apply to an address from which the account has logged in (`known`), so that an attacker cannot lock
 * out the owner of the account.
 */
export const loginBuckets = (
  { username, network, known }: { username: string; network: string; known: boolean },
  limits: AttemptLimits,
): Bucket[] => [
  { name: pairBucketName(username, network), limit: limits.accountAndAddress },
  // Counts successes, because each login costs a password hash.
  { name: `address:${network}`, limit: limits.address, countsSuccesses: true },
  ...(known ? [] : [{ name: `account:${username}`, limit: limits.account }]),
]

/** Returns the name of the bucket of one account and one network. A successful login empties this bucket. */
export const pairBucketName = (username: string, network: string) => `pair:${username}:${network}`

/**
 * Returns the bucket that counts password changes with a wrong current password. The bucket belongs to a session, so
 * that a thief who has stolen one session cannot use up the attempts of the owner's other sessions. A new session
 * requires the password, so a thief has no other bucket.
 *
 * @param sessionId undefined for an access token of an older release, which has no session id
 */
export const passwordChangeBucket = (
  userId: string,
  sessionId: string | undefined,
  limits: AttemptLimits,
): Bucket => ({ name: `change:${sessionId ?? userId}`, limit: limits.accountAndAddress })

/** Returns the bucket that counts the registrations from one network. */
export const registrationBucket = (network: string, limits: AttemptLimits): Bucket => ({
  name: `register:${network}`,
  limit: limits.registrations,
  countsSuccesses: true,
})

/** Most pending attempts end within this time. */
const PENDING_SECONDS = 1

/**
 * Returns how many seconds to wait before another attempt, or 0 if no count exceeds its limit. If checked attempts
 * fill a bucket, the wait lasts until the window of the bucket ends. If a bucket is full only because of pending
 * attempts, the wait is PENDING_SECONDS, because a success usually removes its attempt from the count.
 */
export function secondsToWait(
  counts: readonly { bucket: string; attempts: number; pending: number; expires_at: number }[],
  buckets: readonly Bucket[],
  now: number,
): number {
  const byName = new Map(buckets.map((bucket) => [bucket.name, bucket]))
  const waits = counts.map(({ bucket, attempts, pending, expires_at }) => {
    const { limit, countsSuccesses } = byName.get(bucket)!
    if (attempts <= limit) return 0
    return attempts - pending < limit && !countsSuccesses
      ? PENDING_SECONDS
      : Math.max(1, Math.ceil((expires_at - now) / 1000))
  })
  return Math.max(0, ...waits)
}

/**
 * Returns the network in which a client's address is counted. The network of an IPv4 address is the address itself. The
 * network of an IPv6 address is the /64 network, which usually belongs to one customer. Returns `unknown` for text that
 * is not an address, because a proxy may send any text.
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
