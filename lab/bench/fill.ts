import { randomUUIDv7 } from 'node:crypto'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'

const UNITS = 1_000_000_000
/** The rows are inserted in steps, because one statement for all rows would exceed the time limit of a statement. */
const ROWS_PER_STEP = 1_000

// biome-ignore lint/suspicious/noExplicitAny: the services own the table types; this tool only fills the tables
const open = (url: string) => openDatabase<any>(url, { poolSize: 1 })
type Opened = ReturnType<typeof open>

const count = async ({ kysely }: Opened, table: 'products' | 'orders'): Promise<number> => {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(kysely)
  return Number(rows[0]!.n)
}

/** Returns the numbers from `first` to below `end`, but at most ROWS_PER_STEP numbers. */
const step = (first: number, end: number) =>
  Array.from({ length: Math.min(ROWS_PER_STEP, end - first) }, (_, i) => first + i)

/** Adds products of a seller until there are `total` products. Adds a billion units to the stock of each product. */
export async function fillProducts(url: string, sellerId: string, total: number): Promise<void> {
  const database = open(url)
  const { kysely } = database
  try {
    let filledUpTo = 0
    for (let first = await count(database, 'products'); first < total; first += ROWS_PER_STEP) {
      const products = step(first, total).map((n) => ({
        seller_id: sellerId,
        name: `Thing ${n + 1}`,
        description: 'A thing to be measured with',
        search_name: '',
        search_description: '',
        price_amount: 100 + (n % 10_000),
        price_currency: 'USD',
        stock: 0,
        status: 'ACTIVE',
        version: 1,
        search_version: 1,
        created_at: Date.now(),
        updated_at: Date.now(),
      }))
      await kysely.insertInto('products').values(products).execute()
      await addWords(database)
      // The first step also adds units to the demo products.
      const unfilled = sql`id > ${sql.lit(filledUpTo)} and stock < ${sql.lit(UNITS / 2)}`
      await sql`insert into stock_adjustments (product_id, delta, reason, stock, created_at)
        select id, ${sql.lit(UNITS)}, 'bench', stock + ${sql.lit(UNITS)}, ${sql.lit(Date.now())}
        from products where ${unfilled}`.execute(kysely)
      await sql`update products set stock = stock + ${sql.lit(UNITS)} where ${unfilled}`.execute(kysely)
      const { rows } = await sql<{ id: number }>`select max(id) as id from products`.execute(kysely)
      filledUpTo = Number(rows[0]!.id)
    }
  } finally {
    await database.close()
  }
}

/** Adds the words of the products that have none, so that a search finds them. */
async function addWords({ kysely }: Opened): Promise<void> {
  const { rows } = await sql<{ id: number | null }>`select max(product_id) as id from product_words`.execute(
    kysely,
  )
  const unindexed = sql`from products where id > ${sql.lit(rows[0]!.id ?? 0)}`
  const constant = ['THING', 'A', 'TO', 'BE', 'MEASURED', 'WITH'].map(
    (word) => sql`select id, ${sql.lit(word)} ${unindexed}`,
  )
  await sql`insert into product_words (product_id, word)
    select id, substr(name, 7) ${unindexed} union all ${sql.join(constant, sql` union all `)}`.execute(kysely)
}

/** Adds confirmed orders with one order line each, and their bookings, until there are `total` orders. */
export async function fillOrders(
  urls: { orders: string; products: string },
  buyers: readonly { id: string }[],
  sellerId: string,
  total: number,
): Promise<void> {
  const orders = open(urls.orders)
  const products = open(urls.products)
  const insert = ({ kysely }: Opened, table: string, rows: object[]) =>
    kysely.insertInto(table).values(rows).execute()
  const times = { created_at: Date.now(), updated_at: Date.now() }
  try {
    for (let first = await count(orders, 'orders'); first < total; first += ROWS_PER_STEP) {
      const rows = step(first, total).map((n) => {
        const [id, productId] = [randomUUIDv7(), n + 1]
        const order = {
          id,
          buyer_id: buyers[n % buyers.length]!.id,
          requested_lines: JSON.stringify([{ productId, quantity: 1 }]),
          status: 'CONFIRMED',
          next_attempt_at: null,
          ...times,
        }
        const line = {
          order_id: id,
          line_no: 1,
          product_id: productId,
          quantity: 1,
          name: `Thing ${productId}`,
          seller_id: sellerId,
          price_amount: 100,
        }
        return { order, line, booking: { order_id: id, status: 'BOOKED', ...times } }
      })
      const orderLines = rows.map(({ line }) => ({ ...line, currency: 'USD' }))
      const bookingLines = rows.map(({ line }) => ({ ...line, price_currency: 'USD' }))
      await insert(
        orders,
        'orders',
        rows.map(({ order }) => order),
      )
      await insert(orders, 'order_lines', orderLines)
      await insert(
        products,
        'bookings',
        rows.map(({ booking }) => booking),
      )
      await insert(products, 'booking_lines', bookingLines)
    }
  } finally {
    await orders.close()
    await products.close()
  }
}
