import { type DateHeader, remoteClock } from '@souk/service-kit/auth/remote-clock'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'

/** Half of a token's lifetime, so that a token does not expire in flight. */
const REUSE_MS = 30_000

/** The token with which orders authenticates to products. */
export interface ServiceToken {
  current(): Promise<string>
  /** To call when products rejected the token, with the `Date` of its response: the next token follows that clock. */
  rejected(date: DateHeader): void
}

/** Signs a new token for the products service every 30 seconds. */
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
