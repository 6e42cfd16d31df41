import assert from 'node:assert/strict'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'
import type { RunningShop } from './system.ts'

interface Units {
  product_id: number
  units: number
}

/**
 * Asserts, from the databases of a shop at rest, what must hold whatever happened: units are conserved, orders
 * and bookings agree, nothing is undecided, and no key has two orders.
 */
export async function assertInvariants({ databaseUrls }: Pick<RunningShop, 'databaseUrls'>): Promise<void> {
  const rows = async <Row>(service: 'products' | 'orders', query: string): Promise<Row[]> => {
    const database = openDatabase(databaseUrls[service], { poolSize: 1 })
    return (
      await sql
        .raw<Row>(query)
        .execute(database.kysely)
        .finally(() => database.close())
    ).rows
  }
  const byProduct = (units: Units[]) => new Map(units.map((row) => [row.product_id, Number(row.units)]))

  const stock = await rows<Units>('products', 'select id as product_id, stock as units from products')
  const put = await rows<Units>(
    'products',
    'select product_id, sum(delta) as units from stock_adjustments group by product_id',
  )
  const booked = await rows<Units>(
    'products',
    `select line.product_id, sum(line.quantity) as units from booking_lines line
     join bookings booking on booking.order_id = line.order_id
     where booking.status = 'BOOKED' group by line.product_id`,
  )
  const [putIn, soldOut] = [byProduct(put), byProduct(booked)]
  const sold = await rows<Units>(
    'orders',
    `select line.product_id, sum(line.quantity) as units from order_lines line
     join orders on orders.id = line.order_id
     where orders.status = 'CONFIRMED' group by line.product_id`,
  )
  assert.deepEqual(byProduct(sold), soldOut, 'what confirmed orders say was sold is what was booked')
  for (const { product_id, units } of stock) {
    assert.ok(Number(units) >= 0, `product ${product_id} has ${units} units`)
    const expected = (putIn.get(product_id) ?? 0) - (soldOut.get(product_id) ?? 0)
    assert.equal(Number(units), expected, `the units of product ${product_id} add up`)
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
    assert.equal(bookingOf.get(id), EXPECTED[status], `order ${id} is ${status}`)
  }
  assert.equal(bookings.length, orders.length, 'no booking without its order')

  const doubled = await rows(
    'orders',
    'select 1 from orders group by buyer_id, idempotency_key having count(*) > 1 and idempotency_key is not null',
  )
  assert.equal(doubled.length, 0, 'one order for a key')
}
