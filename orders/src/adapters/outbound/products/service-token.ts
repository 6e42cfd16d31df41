import { type DateHeader, remoteClock } from '@souk/service-kit/auth/remote-clock'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'

/** A token is used for half its life, so that it does not expire on the way. */
const REUSE_MS = 30_000

/** By what orders proves itself to products. */
export interface ServiceToken {
  current(): Promise<string>
  /** Told the refusal's `Date` when products refused the token; the next one is dated by that clock. */
  refused(date: DateHeader): void
}

/** Tokens for the products service; one is signed anew every half minute. */
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
    refused: (date) => {
      clock.learn(date)
      current = undefined
    },
  }
}
