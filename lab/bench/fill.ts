import { randomUUIDv7 } from 'node:crypto'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'

const UNITS = 1_000_000_000
const ROWS_AT_ONCE = 1_000

// biome-ignore lint/suspicious/noExplicitAny: the table types belong to the services; this tool only fills the tables
const open = (url: string) => openDatabase<any>(url, { poolSize: 1 })

/** Adds products of a seller, with stock and its ledger entry, until there are `count` products. */
export async function fillProducts(url: string, sellerId: string, count: number): Promise<void> {
  const { kysely, close } = open(url)
  try {
    const { rows } = await sql<{ n: number }>`select count(*) as n from products`.execute(kysely)
    let last = 0
    for (let made = Number(rows[0]!.n); made < count; made += ROWS_AT_ONCE) {
      const length = Math.min(ROWS_AT_ONCE, count - made)
      const product = (i: number) => ({
        seller_id: sellerId,
        name: `Thing ${made + i + 1}`,
        description: 'A thing to be measured with',
        search_name: `THING ${made + i + 1}`,
        search_description: 'A THING TO BE MEASURED WITH',
        price_amount: 100 + ((made + i) % 10_000),
        price_currency: 'USD',
        stock: 0,
        status: 'ACTIVE',
        version: 1,
        created_at: Date.now(),
        updated_at: Date.now(),
      })
      await kysely
        .insertInto('products')
        .values(Array.from({ length }, (_, i) => product(i)))
        .execute()
      // In steps, because one statement for a million rows would exceed the statement timeout. The first step includes
      // the demo products.
      const raised = sql`id > ${sql.lit(last)} and stock < ${sql.lit(UNITS / 2)}`
      await sql`insert into stock_adjustments (product_id, delta, reason, stock, created_at)
        select id, ${sql.lit(UNITS)}, 'bench', stock + ${sql.lit(UNITS)}, ${sql.lit(Date.now())}
        from products where ${raised}`.execute(kysely)
      await sql`update products set stock = stock + ${sql.lit(UNITS)} where ${raised}`.execute(kysely)
      const { rows } = await sql<{ id: number }>`select max(id) as id from products`.execute(kysely)
      last = Number(rows[0]!.id)
    }
  } finally {
    await close()
  }
}

/** Adds confirmed orders with one line each, and their bookings, until there are `count` orders. */
export async function fillOrders(
  urls: { orders: string; products: string },
  buyers: readonly { id: string }[],
  sellerId: string,
  count: number,
): Promise<void> {
  const [orders, products] = [urls.orders, urls.products].map(open)
  try {
    const { rows } = await sql<{ n: number }>`select count(*) as n from orders`.execute(orders!.kysely)
    const at = { created_at: Date.now(), updated_at: Date.now() }
    for (let made = Number(rows[0]!.n); made < count; made += ROWS_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(ROWS_AT_ONCE, count - made) }, (_, i) => made + i)
      const batch = numbers.map((n) => ({
        id: randomUUIDv7(),
        buyer: buyers[n % buyers.length]!.id,
        product: n + 1,
      }))
      const line = ({ id, product }: (typeof batch)[number]) => ({
        order_id: id,
        line_no: 1,
        product_id: product,
        quantity: 1,
        name: `Thing ${product}`,
        seller_id: sellerId,
        price_amount: 100,
      })
      const insert = (database: typeof orders, table: string, values: object[]) =>
        database!.kysely.insertInto(table).values(values).execute()
      const confirmed = { status: 'CONFIRMED', next_attempt_at: null, ...at }
      await insert(
        orders,
        'orders',
        batch.map(({ id, buyer, product }) => {
          const requested = [{ productId: product, quantity: 1 }]
          return { id, buyer_id: buyer, requested_lines: JSON.stringify(requested), ...confirmed }
        }),
      )
      await insert(
        orders,
        'order_lines',
        batch.map((one) => ({ ...line(one), currency: 'USD' })),
      )
      await insert(
        products,
        'bookings',
        batch.map(({ id }) => ({ order_id: id, status: 'BOOKED', ...at })),
      )
      await insert(
        products,
        'booking_lines',
        batch.map((one) => ({ ...line(one), price_currency: 'USD' })),
      )
    }
  } finally {
    await orders!.close()
    await products!.close()
  }
}
