import { type DateHeader, remoteClock } from '@souk/service-kit/auth/remote-clock'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'

/** Half of a token's lifetime, so that no token expires while its request is in flight. */
const REUSE_MS = 30_000

/** The token with which orders authenticates to products. */
export interface ServiceToken {
  current(): Promise<string>
  /** Call this when products rejects the token. The next token uses the time in that response's `Date` header. */
  rejected(date: DateHeader): void
}

/** Returns a cached token; signs a new one after 30 seconds or a rejection. */
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
