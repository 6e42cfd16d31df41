import { isIPv4, isIPv6 } from 'node:net'

/** How many attempts may be made in a window, whether or not the earlier ones have been decided yet. */
export interface ThrottleLimits {
  windowSeconds: number
  accountAndAddress: number
  address: number
  account: number
  /** By address. */
  registrations: number
}

/** A count of attempts that share something, and how far it may go. */
export interface Bucket {
  name: string
  limit: number
}

/**
 * What a login counts against. The limit of the account as a whole stops a guesser who has many addresses; an
 * address that the account is known to log in from is exempt, or any stranger could lock its owner out.
 */
export const loginBuckets = (
  { username, network, known }: { username: string; network: string; known: boolean },
  limits: ThrottleLimits,
): Bucket[] => [
  { name: pairBucket(username, network), limit: limits.accountAndAddress },
  { name: `address:${network}`, limit: limits.address },
  ...(known ? [] : [{ name: `account:${username}`, limit: limits.account }]),
]

/** The bucket that a success empties: who knows the password has not been guessing. */
export const pairBucket = (username: string, network: string) => `pair:${username}:${network}`

/** Guesses at the current password by someone who has a token: counted for the account alone. */
export const passwordChangeBucket = (username: string, limits: ThrottleLimits): Bucket => ({
  name: `change:${username}`,
  limit: limits.accountAndAddress,
})

/** Counted by network, the good ones too: each costs a hash, and asks for it without an account. */
export const registrationBucket = (network: string, limits: ThrottleLimits): Bucket => ({
  name: `register:${network}`,
  limit: limits.registrations,
})

/** By then an attempt that is being looked at is decided, unless many wait before it. */
const SECONDS_TO_DECIDE = 1

/**
 * Seconds until none of the counts is past its limit; 0 when none is now. One that is full of decided attempts
 * begins anew with its window; one that is full because of `pending` ones may have room as soon as they are decided.
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
 * What an address counts as: an IPv4 address as itself, an IPv6 one as its /64, all of which belongs to one
 * customer. A proxy that is believed may have passed on anything: what is no address is `unknown`.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(plain)) return plain
  if (!isIPv6(plain)) return 'unknown'
  // As many zeros as `::` stands for; the four groups that we keep are never part of an IPv4 tail.
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const tailGroups = groups(tail ?? '')
  const missing = 8 - groups(head).length - tailGroups.length - (plain.includes('.') ? 1 : 0)
  const all = [...groups(head), ...Array<string>(tail === undefined ? 0 : missing).fill('0'), ...tailGroups]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
