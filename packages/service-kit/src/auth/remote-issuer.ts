import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Issuer } from './access-tokens.ts'
import { remoteClock } from './remote-clock.ts'

/** The public keys cannot be fetched, so tokens cannot be verified. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

/** Keys are fetched again after this time, so that tokens signed with a removed key are rejected. */
const FRESH_MS = 10 * 60_000
/** The pause after a failed fetch. During the pause, the keys that were fetched before are used. */
const RETRY_MS = 30_000
/** `refresh` fetches at most once in this time, so that invalid tokens cannot overload the issuer. */
const COOLDOWN_MS = 1_000
const TIMEOUT_MS = 2_000

/**
 * Returns the issuer whose public keys are at `url`. The keys are fetched when they are first needed, and cached. If a
 * later fetch fails, the last fetched keys are used, so that tokens can be verified while the issuer is down. All ages
 * are measured with the monotonic clock, because the system time may be set back (ADR 10).
 */
export function remoteIssuer(url: string): Issuer {
  const clock = remoteClock()
  let keys: JWTVerifyGetKey | undefined
  let fetching: Promise<void> | undefined
  let freshUntil = 0
  let cooldownUntil = 0

  const fetchKeys = async (): Promise<void> => {
    try {
      const { keySet, date } = await fetchKeySet(url)
      keys = createLocalJWKSet(keySet)
      clock.learn(date)
      freshUntil = performance.now() + FRESH_MS
    } catch (error) {
      if (!keys) throw new KeysUnavailable(`The keys at ${url} cannot be fetched.`, { cause: error })
      freshUntil = performance.now() + RETRY_MS
    }
  }
  /** Concurrent callers share one fetch. */
  const fetchOnce = (): Promise<void> => {
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined
    })
    return fetching
  }
  return {
    now: clock.now,
    keys: async (header, token) => {
      if (!keys || performance.now() >= freshUntil) await fetchOnce()
      return keys!(header, token)
    },
    refresh: async () => {
      if (!fetching && performance.now() < cooldownUntil) return false
      cooldownUntil = performance.now() + COOLDOWN_MS
      await fetchOnce()
      return true
    },
  }
}

/** Fetches a JSON Web Key Set (RFC 7517), and the `Date` header of the response. @throws Error */
async function fetchKeySet(url: string): Promise<{ keySet: JSONWebKeySet; date: string | null }> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!response.ok) throw new Error(`The issuer responded with status ${response.status}.`)
  const keySet = (await response.json()) as JSONWebKeySet
  if (!keySet.keys?.length) throw new Error('The issuer published no keys.')
  return { keySet, date: response.headers.get('date') }
}
