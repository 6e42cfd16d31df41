import { type DateHeader, remoteClock } from '@souk/service-kit/auth/remote-clock'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'

/** How long a token is reused: half of its lifetime, so that no token expires while a request is in flight. */
const REUSE_MS = 30_000

/** The token with which the orders service authenticates to the products service. */
export interface ServiceToken {
  current(): Promise<string>
  /**
   * Discards the token after the products service rejected it. `date` is the `Date` header of the rejection. The issue
   * time of later tokens follows the clock of the products service, which `date` shows.
   */
  rejected(date: DateHeader): void
}

/** Creates a ServiceToken that caches one token. A new token is signed after REUSE_MS or after a rejection. */
export function productsToken(secret: string): ServiceToken {
  const tokens = serviceTokens(secret)
  const clock = remoteClock()
  let current: Promise<string> | undefined
  let renewAt = 0
  return {
    current: () => {
      if (!current || performance.now() >= renewAt) {
        current = tokens.sign('orders', 'products', clock.now())
        renewAt = performance.now() + REUSE_MS
      }
      return current
    },
    rejected: (date) => {
      clock.learn(date)
      current = undefined
    },
  }
}
