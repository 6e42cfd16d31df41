import { writeFileSync } from 'node:fs'
import type { Engine } from '@souk/service-kit/database/database'
import { openCrowd } from './crowd.ts'
import { fillOrders, fillProducts } from './fill.ts'

const SIZES = [1_000, 100_000, 1_000_000]
const WARM_UP_SECONDS = 3

/** Requests a second, by what is asked and by how many products and orders there are. */
type Rates = Record<string, Record<number, number>>

/** How fast the shop is with ever more products and as many orders; a table, and `docs/growth.md`. */
export async function measureGrowth(engine: Engine, seconds: number): Promise<void> {
  const crowd = await openCrowd(engine)
  const { running, seller, buyers } = crowd
  const { products, orders } = running.system.urls
  const rates: Rates = {}
  try {
    for (const size of SIZES) {
      await fillProducts(running.databaseUrls.products, seller.id, size)
      await fillOrders(running.databaseUrls, buyers, seller.id, size)
      const requests = {
        place: (time: number) => crowd.place(size, time),
        'get a product': (time: number) => crowd.get(products, '/products/{id}', time, size),
        'list products': (time: number) => crowd.get(products, '/products', time),
        'list by price': (time: number) => crowd.get(products, '/products?sort=price-asc&minPrice=500', time),
        'search a common word': (time: number) => crowd.get(products, '/products?q=thing', time),
        'search a rare word': (time: number) => crowd.get(products, '/products?q=thing%20777', time),
        'list own orders': (time: number) => crowd.get(orders, '/orders', time),
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
    await crowd.stop()
  }
  report(rates)
  writeFileSync(new URL('../../docs/growth.md', import.meta.url), page(rates, engine))
}

function report(rates: Rates): void {
  console.log(
    `\n${'a second'.padEnd(22)} ${SIZES.map((size) => `${size}`.padStart(10)).join('')}   last / first`,
  )
  for (const [name, bySize] of Object.entries(rates)) {
    const row = SIZES.map((size) => bySize[size]!)
    const ratio = (row.at(-1)! / row[0]!).toFixed(2)
    console.log(`${name.padEnd(22)} ${row.map((rate) => `${rate}`.padStart(10)).join('')}   ${ratio}`)
  }
}

function page(rates: Rates, engine: Engine): string {
  const rows = Object.entries(rates).map(([name, bySize]) => {
    const row = SIZES.map((size) => bySize[size]!)
    const ratio = (row.at(-1)! / row[0]!).toFixed(2)
    return `| ${[name, ...row.map((rate) => rate.toLocaleString('en')), ratio].join(' | ')} |`
  })
  return `# How it grows

Requests a second on ${engine}, 64 buyers, with as many products and as many orders as the column says; the last column
is the last over the first. Measured and written by \`npm run bench -- --growth\`.

| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} | |
|---|${'---|'.repeat(SIZES.length)}---|
${rows.join('\n')}

A search for text reads the active products one by one, newest first, until its page is full: a word that many have is
found at once, a rare one reads all of them. Everybody who asks for the same shares one query, or it would be slower
still. A buyer's own orders are read by an index, and each with its lines.
`
}
