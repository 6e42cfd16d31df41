import { type Order, Problem } from '@souk/client'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { queryClient, souk } from '../../souk.ts'
import { beginIntent, endIntent, type OrderIntent, pendingIntent } from './order-intent.ts'
import { useCart } from './use-cart.ts'

/**
 * The steps of an order: `sending` until the server has it, `confirming` while the server decides. `unknown`: no answer
 * has arrived, so the order may have been placed. `rejected`: it was not placed.
 */
export type Ordering =
  | { step: 'idle' }
  | { step: 'sending' }
  | { step: 'confirming'; order: Order }
  | { step: 'unknown'; error: unknown }
  | { step: 'rejected'; error: Problem }

/** A response of this kind says that the order was not placed. After any other failure it may have been. */
const isDecided = (error: unknown): error is Problem =>
  error instanceof Problem && error.status < 500 && ![401, 408, 429].includes(error.status)

/** Sends the cart as an order, once, and goes to the page of the order. Resumes an order that a reload interrupted. */
export function useOrdering(userId: string) {
  const { lines, clear } = useCart()
  const [, navigate] = useLocation()
  const [ordering, setOrdering] = useState<Ordering>({ step: 'idle' })
  const running = useRef<AbortController>(undefined)

  const send = async (intent: OrderIntent) => {
    if (running.current) return
    running.current = new AbortController()
    const { signal } = running.current
    setOrdering({ step: 'sending' })
    try {
      const order = await souk.placeOrder(
        intent.lines.map(({ productId, quantity, price }) => ({ productId, quantity, expectedPrice: price })),
        {
          idempotencyKey: intent.idempotencyKey,
          signal,
          onPending: (order) => setOrdering({ step: 'confirming', order }),
        },
      )
      endIntent()
      clear()
      queryClient.invalidateQueries()
      navigate(`/orders/${order.id}?placed`, { replace: true })
    } catch (error) {
      if (signal.aborted) return
      if (!isDecided(error)) return setOrdering({ step: 'unknown', error })
      endIntent()
      queryClient.invalidateQueries({ queryKey: ['product'] })
      setOrdering({ step: 'rejected', error })
    } finally {
      if (running.current?.signal === signal) running.current = undefined
    }
  }

  const resume = useEffectEvent((user: string) => {
    const pending = pendingIntent(user)
    if (pending) send(pending)
  })
  useEffect(() => {
    resume(userId)
    return () => {
      running.current?.abort()
      running.current = undefined
    }
  }, [userId])

  return {
    ordering,
    placeOrder: () => send(beginIntent(userId, lines)),
    dismiss: () => setOrdering({ step: 'idle' }),
  }
}
