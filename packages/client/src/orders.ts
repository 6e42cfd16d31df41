import { Problem } from './problem.ts'
import { sleep } from './retry.ts'
import type { NewOrderLine, Order } from './types.ts'

/** A key for one order. Repeat the order with the same key, and it is placed only once. */
export const newIdempotencyKey = (): string =>
  // Browsers offer `crypto.randomUUID` only to pages with HTTPS or on localhost.
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

export interface PlaceOrderOptions {
  /** Make it once per intent of the buyer (`newIdempotencyKey`), and store it until the order is decided. */
  idempotencyKey: string
  signal?: AbortSignal | undefined
  /** Called when the order is stored but not decided yet. */
  onPending?: ((order: Order) => void) | undefined
}

/** The two calls that placing an order needs. */
export interface OrderCalls {
  place(lines: readonly NewOrderLine[], idempotencyKey: string, signal?: AbortSignal): Promise<Order>
  find(id: string, signal?: AbortSignal): Promise<Order>
}

const FIRST_PAUSE_MS = 300
const MAX_PAUSE_MS = 3_000

/**
 * Places an order and waits until it is decided. Returns the order, CONFIRMED or cancelled meanwhile.
 *
 * @throws Problem when the order is rejected, such as `insufficient-stock` with the short lines
 */
export async function placeOrder(
  calls: OrderCalls,
  lines: readonly NewOrderLine[],
  { idempotencyKey, signal, onPending }: PlaceOrderOptions,
): Promise<Order> {
  const order = await calls.place(lines, idempotencyKey, signal)
  if (isUndecided(order)) onPending?.(order)
  return confirmed(await untilDecided(calls, order, signal))
}

/** Waits until an order is neither PENDING nor CANCELLING. Only the signal ends the wait earlier. */
export async function untilDecided(calls: OrderCalls, order: Order, signal?: AbortSignal): Promise<Order> {
  let current = order
  for (let pause = FIRST_PAUSE_MS; isUndecided(current); pause = Math.min(pause * 1.5, MAX_PAUSE_MS)) {
    await sleep(pause, signal)
    current = await calls.find(order.id, signal)
  }
  return current
}

export const isUndecided = ({ status }: Order): boolean => status === 'PENDING' || status === 'CANCELLING'

/** A rejection means the same whether it arrives at once (409, 422) or later. */
function confirmed(order: Order): Order {
  if (order.status !== 'REJECTED') return order
  const { reason, lines } = order.rejection!
  const status = reason === 'insufficient-stock' || reason === 'price-changed' ? 409 : 422
  const detail = 'The order was rejected.'
  const instance = `/orders/${order.id}`
  throw new Problem({
    type: `/problems/${reason}`,
    code: reason,
    status,
    title: detail,
    detail,
    instance,
    lines,
  })
}
