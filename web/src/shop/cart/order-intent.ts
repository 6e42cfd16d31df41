/**
 * The buyer's intent to order. It is stored before the order is sent, with its idempotency key. However often the order
 * is sent then (a double click, a reload, a lost response), the key is the same, so only one order is placed.
 */
import { newIdempotencyKey } from '@souk/client'
import type { Cart } from './cart.ts'

export interface OrderIntent {
  userId: string
  idempotencyKey: string
  lines: Cart
}

const KEY = 'souk.order-intent'

/** Returns the order that the user has sent and whose outcome is not known yet. */
export function pendingIntent(userId: string): OrderIntent | undefined {
  try {
    const intent: OrderIntent | null = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return intent?.userId === userId && Array.isArray(intent.lines) ? intent : undefined
  } catch {
    return undefined
  }
}

/** Stores the intent to order `lines`. If the outcome of an earlier order is not known yet, returns that order. */
export function beginIntent(userId: string, lines: Cart): OrderIntent {
  const pending = pendingIntent(userId)
  if (pending) return pending
  const intent = { userId, idempotencyKey: newIdempotencyKey(), lines }
  localStorage.setItem(KEY, JSON.stringify(intent))
  return intent
}

/** The outcome is known: the next order is a new one. */
export const endIntent = (): void => localStorage.removeItem(KEY)
