import { writeFileSync } from 'node:fs'
import type { Engine } from '@souk/service-kit/database/database'
import { fillOrders, fillProducts } from './fill.ts'
import { startLoadTest } from './load.ts'

const SIZES = [1_000, 100_000, 1_000_000]
const WARM_UP_SECONDS = 3

/** Measures requests per second with 1,000 to 1,000,000 products and orders, and writes `docs/growth.md`. */
export async function measureGrowth(engine: Engine, seconds: number): Promise<void> {
  const { running, seller, buyers, place, get, stop } = await startLoadTest(engine)
  const { products, orders } = running.urls
  /** For the name of each request: its requests per second at each size. */
  const rates = new Map<string, number[]>()
  try {
    for (const size of SIZES) {
      await fillProducts(running.databaseUrls.products, seller.id, size)
      await fillOrders(running.databaseUrls, buyers, seller.id, size)
      const requests = {
        'place an order': (time: number) => place(size, time),
        'get a product': (time: number) => get(products, '/products/{id}', time, size),
        'list products': (time: number) => get(products, '/products', time),
        'list a price range': (time: number) => get(products, '/products?minPrice=10000', time),
        'list by price': (time: number) => get(products, '/products?sort=price-asc&minPrice=500', time),
        'search a common word': (time: number) => get(products, '/products?q=thing', time),
        // One product has this number.
        'search a rare word': (time: number) => get(products, `/products?q=${size}`, time),
        'search an absent word': (time: number) => get(products, '/products?q=kettle', time),
        'search two words': (time: number) => get(products, '/products?q=thing%20measured', time),
        'search by price': (time: number) => get(products, '/products?q=thing&sort=price-desc', time),
        'list own orders': (time: number) => get(orders, '/orders', time),
      }
      for (const [name, measure] of Object.entries(requests)) {
        await measure(WARM_UP_SECONDS)
        const { perSecond, p99, failed } = await measure(seconds)
        if (failed > 0) throw new Error(`${name}: ${failed} requests failed`)
        const rate = Math.round(perSecond)
        rates.set(name, [...(rates.get(name) ?? []), rate])
        console.log(`${name.padEnd(22)} ${`${size}`.padStart(9)}: ${rate}/s  p99 ${p99} ms`)
      }
    }
  } finally {
    await stop()
  }
  const page = pageWith(rates, engine)
  console.log(`\n${page}`)
  writeFileSync(new URL('../../docs/growth.md', import.meta.url), page)
}

function pageWith(rates: Map<string, number[]>, engine: Engine): string {
  const rows = [...rates].map(([name, list]) => {
    const ratio = (list.at(-1)! / list[0]!).toFixed(2)
    return `| ${[name, ...list.map((rate) => rate.toLocaleString('en')), ratio].join(' | ')} |`
  })
  return `# Speed with more data

Requests per second on ${engine} with 64 buyers. The header of a column is the number of products and of orders in the
database. The last column is the rate with the most data divided by the rate with the least. \`npm run bench -- --growth\`
measures the rates and writes this page.

| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} | ratio |
|---|${'---|'.repeat(SIZES.length)}---|
${rows.join('\n')}

A search for a rare word finds the products with an index of the words. A search for a common word reads the products in
the order of the list until its page is full ([ADR 15](adr/0015-search.md)). Concurrent requests for the same search
share one query.
\`list own orders\` finds the orders with an index and also reads their lines, so its rate is lower, but it does not fall
with more data.
`
}
