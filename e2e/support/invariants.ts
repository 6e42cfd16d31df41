import assert from 'node:assert/strict'
import { runSql } from './database.ts'
import type { SystemUnderTest } from './system.ts'

/**
 * Reads the databases and asserts the invariants that hold after any fault: no unit is lost or sold twice, orders and
 * bookings agree, no order is undecided (PENDING or CANCELLING), and no idempotency key has two orders. No request may
 * be in flight during the call.
 */
export async function assertInvariants({
  databaseUrls,
}: Pick<SystemUnderTest, 'databaseUrls'>): Promise<void> {
  const { products, orders } = databaseUrls
  await assertUnits(products, orders)
  await assertBookings(products, orders)
  const duplicates = await runSql(
    orders,
    'select 1 from orders group by buyer_id, idempotency_key having count(*) > 1 and idempotency_key is not null',
  )
  assert.equal(duplicates.length, 0, 'number of idempotency keys that have several orders')
}

/**
 * Asserts that the stock of each product equals the product's added units minus its booked units, and that the booked
 * units equal the units in confirmed orders.
 */
async function assertUnits(products: string, orders: string): Promise<void> {
  const unitsByProduct = async (url: string, query: string) => {
    const rows = await runSql<{ product_id: number; units: number }>(url, query)
    return new Map(rows.map(({ product_id, units }) => [product_id, Number(units)]))
  }
  const stock = await unitsByProduct(products, 'select id as product_id, stock as units from products')
  const added = await unitsByProduct(
    products,
    'select product_id, sum(delta) as units from stock_adjustments group by product_id',
  )
  const booked = await unitsByProduct(
    products,
    `select line.product_id, sum(line.quantity) as units from booking_lines line
     join bookings booking on booking.order_id = line.order_id
     where booking.status = 'BOOKED' group by line.product_id`,
  )
  const sold = await unitsByProduct(
    orders,
    `select line.product_id, sum(line.quantity) as units from order_lines line
     join orders on orders.id = line.order_id
     where orders.status = 'CONFIRMED' group by line.product_id`,
  )
  assert.deepEqual(sold, booked, 'units of confirmed orders and booked units, by product')
  for (const [product, units] of stock) {
    assert.ok(units >= 0, `product ${product} has ${units} units`)
    const expected = (added.get(product) ?? 0) - (booked.get(product) ?? 0)
    assert.equal(units, expected, `product ${product} must have its added units minus its booked units`)
  }
}

const BOOKING_STATUS: Record<string, string> = {
  CONFIRMED: 'BOOKED',
  REJECTED: 'REJECTED',
  CANCELLED: 'RELEASED',
}

/**
 * Asserts that no order is undecided, that every order has a booking with the matching status, and that every booking has
 * an order.
 */
async function assertBookings(products: string, orders: string): Promise<void> {
  const bookings = await runSql<{ order_id: string; status: string }>(
    products,
    'select order_id, status from bookings',
  )
  const statusOf = new Map(bookings.map(({ order_id, status }) => [order_id, status]))
  const rows = await runSql<{ id: string; status: string }>(orders, 'select id, status from orders')
  for (const { id, status } of rows) {
    assert.ok(status in BOOKING_STATUS, `order ${id} is still ${status}`)
    const expected = BOOKING_STATUS[status]
    assert.equal(statusOf.get(id), expected, `order ${id} is ${status}, so its booking must be ${expected}`)
  }
  assert.equal(bookings.length, rows.length, 'number of bookings and number of orders')
}
