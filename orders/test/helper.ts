import { randomUUIDv7 } from 'node:crypto'
import { type MemoryInventory, memoryInventory } from '../src/adapters/outbound/memory/inventory.ts'
import { memoryOrderStore } from '../src/adapters/outbound/memory/order-store.ts'
import { createApplication } from '../src/application/index.ts'
import type { OrderStore, Ports } from '../src/application/ports.ts'
import { OrderError } from '../src/domain/errors.ts'
import {
  type BookedLine,
  confirmOrReject,
  newOrder,
  type Order,
  type RequestedLine,
} from '../src/domain/order.ts'

export const SELLER: string = randomUUIDv7()
const USD = (amount: number) => ({ amount, currency: 'USD' })

/** The products in the inventory: 1 and 2 are in stock, 3 has one unit, 4 is disabled, 5 has a price in euros. */
export const PRODUCTS = {
  1: { name: 'Lamp', sellerId: SELLER, price: USD(1999), stock: 100 },
  2: { name: 'Rug', sellerId: SELLER, price: USD(500), stock: 100 },
  3: { name: 'Samovar', sellerId: SELLER, price: USD(25_000), stock: 1 },
  4: { name: 'Ghost', sellerId: SELLER, price: USD(1), stock: 9, disabled: true },
  5: { name: 'Mosaic', sellerId: SELLER, price: { amount: 700, currency: 'EUR' }, stock: 9 },
}

export interface TestShop {
  application: ReturnType<typeof createApplication>
  orders: OrderStore
  inventory: MemoryInventory
  /** The events that the application passed to the port `report`. */
  reported: string[]
  /** Moves the clock of the application forward. */
  advanceClock(ms: number): void
}

/** Creates the application with the adapters in memory and a clock that tests can move. */
export function testShop(overrides: Partial<Ports> = {}): TestShop {
  let aheadMs = 0
  const reported: string[] = []
  const orders = memoryOrderStore()
  const inventory = memoryInventory(PRODUCTS)
  const application = createApplication({
    orders,
    inventory,
    now: () => Date.now() + aheadMs,
    report: (event) => reported.push(event),
    ...overrides,
  })
  return {
    application,
    orders,
    inventory,
    reported,
    advanceClock: (ms) => {
      aheadMs += ms
    },
  }
}

/** Creates a command to place an order with these lines. */
export const placeCommand = (lines: RequestedLine[], buyerId: string = randomUUIDv7()) => ({
  orderId: randomUUIDv7(),
  buyerId,
  lines,
  idempotency: null,
})

export const pendingOrder = (
  lines: RequestedLine[],
  buyerId: string = randomUUIDv7(),
  now = Date.now(),
): Order => newOrder(randomUUIDv7(), buyerId, lines, now)

export const booked = (lines: readonly RequestedLine[], sellerId = SELLER): BookedLine[] =>
  lines.map((line) => ({
    ...line,
    name: `Product ${line.productId}`,
    sellerId,
    price: USD(100 * line.productId),
  }))

export const confirmed = (order: Order, sellerId = SELLER): Order =>
  confirmOrReject(order, { booked: booked(order.lines, sellerId) }, order.updatedAt + 1)

/** Matches an OrderError with this code, for `assert.rejects` and `assert.throws`. */
export const withCode = (code: string) => (error: unknown) =>
  error instanceof OrderError && error.code === code
