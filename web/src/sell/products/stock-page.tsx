import { newIdempotencyKey } from '@souk/client'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { souk } from '../../souk.ts'
import { Field, Form } from '../../ui/form.tsx'
import { Failure, Loading } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { adjustStock, loadOwnProduct } from './change-product.ts'

/** What the seller has put in stock or taken out, newest first. Orders are not in this list. */
export function StockPage({ id }: { id: number }) {
  const product = useQuery({
    queryKey: ['stock', id, 'product'],
    queryFn: async ({ signal }) => (await loadOwnProduct(id, signal)).data,
  })
  const name = product.data?.name ?? 'Product'
  useTitle(`Stock of ${name}`)
  const ledger = useInfiniteQuery({
    queryKey: ['stock', id, 'ledger'],
    queryFn: ({ pageParam: cursor, signal }) =>
      souk.get('/products/{id}/stock-adjustments', {
        params: { path: { id }, query: cursor ? { cursor } : {} },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
  const entries = ledger.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div className="stack">
      <h1>
        Stock of <Link href={`/products/${id}`}>{name}</Link>
      </h1>
      <p className="figure">
        {product.data ? `${product.data.stock} units are available to orders.` : '\u00a0'}
      </p>
      <div className="panel">
        <AdjustForm id={id} />
      </div>
      {ledger.isError && <Failure error={ledger.error} onRetry={() => ledger.refetch()} />}
      {ledger.isPending && <Loading />}
      {entries.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Reason</th>
                <th scope="col" className="figure">
                  Change
                </th>
                <th scope="col" className="figure">
                  Stock after it
                </th>
              </tr>
            </thead>
            <tbody>
              {entries.map(({ id: entryId, createdAt, reason, delta, stock }) => (
                <tr key={entryId}>
                  <td>
                    {new Date(createdAt).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}
                  </td>
                  <td>{reason}</td>
                  <td className="figure">{delta > 0 ? `+${delta}` : delta}</td>
                  <td className="figure">{stock}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {ledger.hasNextPage && (
        <button type="button" className="button load-more" onClick={() => ledger.fetchNextPage()}>
          Load more
        </button>
      )}
    </div>
  )
}

function AdjustForm({ id }: { id: number }) {
  // A new key, and an empty form, after each adjustment that the server has accepted.
  const [key, setKey] = useState(newIdempotencyKey)
  const adjust = async (values: FormData) => {
    await adjustStock(id, Number(values.get('delta')), String(values.get('reason')), key)
    setKey(newIdempotencyKey())
  }
  return (
    <Form key={key} submitLabel="Adjust the stock" onSubmit={adjust} className="adjust-form">
      {(errors) => (
        <>
          <Field
            label="Units"
            name="delta"
            type="number"
            required
            hint="Positive: they came in. Negative: they are gone."
            error={errors.delta}
          />
          <Field
            label="Reason"
            name="reason"
            required
            maxLength={200}
            hint="Such as “delivery” or “broken”"
            error={errors.reason}
          />
        </>
      )}
    </Form>
  )
}
