import { writeFileSync } from 'node:fs'
import type { Engine } from '@souk/service-kit/database/database'
import { fillOrders, fillProducts } from './fill.ts'
import { startLoadTest } from './load.ts'

const SIZES = [1_000, 100_000, 1_000_000]
const WARM_UP_SECONDS = 3

/** Requests per second, by kind of request and by number of products and orders. */
type Rates = Record<string, Record<number, number>>

/** Measures with more and more products and orders; prints a table and writes `docs/growth.md`. */
export async function measureGrowth(engine: Engine, seconds: number): Promise<void> {
  const loadTest = await startLoadTest(engine)
  const { running, seller, buyers } = loadTest
  const { products, orders } = running.system.urls
  const rates: Rates = {}
  try {
    for (const size of SIZES) {
      await fillProducts(running.databaseUrls.products, seller.id, size)
      await fillOrders(running.databaseUrls, buyers, seller.id, size)
      const requests = {
        place: (time: number) => loadTest.place(size, time),
        'get a product': (time: number) => loadTest.get(products, '/products/{id}', time, size),
        'list products': (time: number) => loadTest.get(products, '/products', time),
        'list by price': (time: number) =>
          loadTest.get(products, '/products?sort=price-asc&minPrice=500', time),
        'search a common word': (time: number) => loadTest.get(products, '/products?q=thing', time),
        'search a rare word': (time: number) => loadTest.get(products, '/products?q=thing%20777', time),
        'list own orders': (time: number) => loadTest.get(orders, '/orders', time),
      }
      for (const [name, send] of Object.entries(requests)) {
        await send(WARM_UP_SECONDS)
        const { perSecond, p99, failed } = await send(seconds)
        if (failed > 0) throw new Error(`${name}: ${failed} requests failed`)
        rates[name] = { ...rates[name], [size]: Math.round(perSecond) }
        console.log(`${name.padEnd(22)} ${`${size}`.padStart(9)}: ${Math.round(perSecond)}/s  p99 ${p99} ms`)
      }
    }
  } finally {
    await loadTest.stop()
  }
  report(rates)
  writeFileSync(new URL('../../docs/growth.md', import.meta.url), page(rates, engine))
}

/** The rate for each size, and the last rate divided by the first. */
const rowOf = (bySize: Record<number, number>): [rates: number[], ratio: string] => {
  const row = SIZES.map((size) => bySize[size]!)
  return [row, (row.at(-1)! / row[0]!).toFixed(2)]
}

function report(rates: Rates): void {
  const header = SIZES.map((size) => `${size}`.padStart(10)).join('')
  console.log(`\n${'per second'.padEnd(22)} ${header}   last / first`)
  for (const [name, bySize] of Object.entries(rates)) {
    const [row, ratio] = rowOf(bySize)
    console.log(`${name.padEnd(22)} ${row.map((rate) => `${rate}`.padStart(10)).join('')}   ${ratio}`)
  }
}

function page(rates: Rates, engine: Engine): string {
  const rows = Object.entries(rates).map(([name, bySize]) => {
    const [row, ratio] = rowOf(bySize)
    return `| ${[name, ...row.map((rate) => rate.toLocaleString('en')), ratio].join(' | ')} |`
  })
  return `# Speed with more data

Requests per second on ${engine} with 64 buyers. Each column has as many products and as many orders as its header says.
The last column is the rate with the most data divided by the rate with the least. Measured and written by
\`npm run bench -- --growth\`.

| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} | ratio |
|---|${'---|'.repeat(SIZES.length)}---|
${rows.join('\n')}

A text search reads the active products one by one, newest first, until its page is full. So a search for a common word
is fast, and a search for a rare word reads all products. Simultaneous requests for the same search share one query. A
buyer's own orders are found with an index and read with their lines.
`
}
