import assert from 'node:assert/strict'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'
import type { RunningShop } from './system.ts'

interface Units {
  product_id: number
  units: number
}

/**
 * Asserts, from the databases of a system with no request in flight, what must hold after any fault: no unit is
 * lost or sold twice, orders and bookings agree, no order is undecided, and no idempotency key has two orders.
 */
export async function assertInvariants({ databaseUrls }: Pick<RunningShop, 'databaseUrls'>): Promise<void> {
  const rows = async <Row>(service: 'products' | 'orders', query: string): Promise<Row[]> => {
    const database = openDatabase(databaseUrls[service], { poolSize: 1 })
    const result = await sql
      .raw<Row>(query)
      .execute(database.kysely)
      .finally(() => database.close())
    return result.rows
  }
  const byProduct = (units: Units[]) => new Map(units.map((row) => [row.product_id, Number(row.units)]))

  const stock = await rows<Units>('products', 'select id as product_id, stock as units from products')
  const added = byProduct(
    await rows(
      'products',
      'select product_id, sum(delta) as units from stock_adjustments group by product_id',
    ),
  )
  const booked = byProduct(
    await rows(
      'products',
      `select line.product_id, sum(line.quantity) as units from booking_lines line
       join bookings booking on booking.order_id = line.order_id
       where booking.status = 'BOOKED' group by line.product_id`,
    ),
  )
  const sold = byProduct(
    await rows(
      'orders',
      `select line.product_id, sum(line.quantity) as units from order_lines line
       join orders on orders.id = line.order_id
       where orders.status = 'CONFIRMED' group by line.product_id`,
    ),
  )
  assert.deepEqual(sold, booked, 'the units of confirmed orders are the booked units')
  for (const { product_id, units } of stock) {
    assert.ok(Number(units) >= 0, `product ${product_id} has ${units} units`)
    const expected = (added.get(product_id) ?? 0) - (booked.get(product_id) ?? 0)
    assert.equal(
      Number(units),
      expected,
      `the stock of product ${product_id} is what was added less what is booked`,
    )
  }

  const orders = await rows<{ id: string; status: string }>('orders', 'select id, status from orders')
  const bookings = await rows<{ order_id: string; status: string }>(
    'products',
    'select order_id, status from bookings',
  )
  const bookingOf = new Map(bookings.map(({ order_id, status }) => [order_id, status]))
  const EXPECTED: Record<string, string> = {
    CONFIRMED: 'BOOKED',
    REJECTED: 'REJECTED',
    CANCELLED: 'RELEASED',
  }
  for (const { id, status } of orders) {
    assert.ok(status in EXPECTED, `order ${id} is still ${status}`)
    assert.equal(bookingOf.get(id), EXPECTED[status], `the booking of order ${id}, which is ${status}`)
  }
  assert.equal(bookings.length, orders.length, 'every booking has its order')

  const doubled = await rows(
    'orders',
    'select 1 from orders group by buyer_id, idempotency_key having count(*) > 1 and idempotency_key is not null',
  )
  assert.equal(doubled.length, 0, 'every idempotency key has one order')
}
