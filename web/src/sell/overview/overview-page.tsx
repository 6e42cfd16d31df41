import type { Money, Product, SalesSummary } from '@souk/client'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { souk } from '../../souk.ts'
import { formatMoney } from '../../ui/money.ts'
import { Picture } from '../../ui/picture.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { DailyChart } from './daily-chart.tsx'

const LOW_STOCK = 3
const BEST_SELLERS = 5

/** What a seller looks at first: the last 30 days, the best sellers, and what will soon be sold out. */
export function OverviewPage() {
  useTitle('Overview')
  const summary = useQuery({
    queryKey: ['sales-summary'],
    queryFn: ({ signal }) => souk.get('/sellers/me/sales/summary', { signal }),
    // Buyers order at any time, so a visit of this page always asks again.
    staleTime: 0,
  })
  const products = useQuery({
    queryKey: ['own-products', 'newest'],
    queryFn: async ({ signal }) =>
      (await souk.get('/sellers/me/products', { params: { query: { limit: 100 } }, signal })).items,
    staleTime: 0,
  })
  return (
    <div className="stack wide">
      <div className="row spread">
        <h1>Overview</h1>
        <Link className="button primary" href="/products/new">
          New product
        </Link>
      </div>
      <Loaded query={products}>
        {(own) =>
          own.length === 0 ? (
            <Empty title="No products yet" heading="h2">
              <p>List the first one; it takes a minute.</p>
            </Empty>
          ) : (
            <>
              <Loaded query={summary}>{(sold) => <LastDays summary={sold} />}</Loaded>
              <LowStock products={own} />
            </>
          )
        }
      </Loaded>
    </div>
  )
}

function LastDays({ summary }: { summary: SalesSummary }) {
  const units = summary.days.reduce((sum, day) => sum + day.units, 0)
  return (
    <>
      <section className="panel overview" aria-labelledby="last-days">
        <div className="stack">
          <h2 id="last-days">Last 30 days</h2>
          {revenueOf(summary).map((revenue) => (
            <p key={revenue.currency} className="total figure">
              {formatMoney(revenue)}
            </p>
          ))}
          <p className="figure">{units === 1 ? '1 unit' : `${units} units`} sold</p>
        </div>
        <DailyChart summary={summary} />
      </section>
      <BestSellers summary={summary} />
    </>
  )
}

/** Returns the revenue of all days in each currency, the largest first. */
function revenueOf({ days }: SalesSummary): Money[] {
  const totals = new Map<string, number>()
  for (const { revenue } of days)
    totals.set(revenue.currency, (totals.get(revenue.currency) ?? 0) + revenue.amount)
  return [...totals].map(([currency, amount]) => ({ currency, amount })).sort((a, b) => b.amount - a.amount)
}

function BestSellers({ summary }: { summary: SalesSummary }) {
  if (summary.products.length === 0)
    return <p>Nothing sold yet. Each unit that a buyer orders counts at once.</p>
  return (
    <section className="stack">
      <h2>Best sellers</h2>
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col" className="figure">
                Units
              </th>
              <th scope="col" className="figure">
                Revenue
              </th>
            </tr>
          </thead>
          <tbody>
            {summary.products.slice(0, BEST_SELLERS).map(({ productId, name, units, revenue }) => (
              <tr key={`${productId} ${revenue.currency}`}>
                <td>
                  <Link href={`/products/${productId}`}>{name}</Link>
                </td>
                <td className="figure">{units}</td>
                <td className="figure">{formatMoney(revenue)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** Only the newest 100 products are looked at. A seller with more finds the others in the list of products. */
function LowStock({ products }: { products: readonly Product[] }) {
  const low = products.filter(({ status, stock }) => status === 'ACTIVE' && stock <= LOW_STOCK)
  return (
    <section className="stack">
      <h2>Low stock</h2>
      {low.length === 0 && <p className="soft">Every product has more than {LOW_STOCK} units.</p>}
      <ul className="low-stock">
        {low.map((product) => (
          <li key={product.id}>
            <Link className="product-cell" href={`/products/${product.id}/stock`}>
              <Picture product={product} small />
              {product.name}
              <span className={`badge ${product.stock === 0 ? 'bad' : 'warn'}`}>
                {product.stock === 0 ? 'Sold out' : `${product.stock} left`}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
