import { useSearchParams } from 'wouter'
import { useTitle } from '../../ui/title.ts'
import { Filters } from './filters.tsx'
import { readListQuery } from './list-query.ts'
import { ProductGrid } from './product-grid.tsx'

export function CataloguePage() {
  const [parameters] = useSearchParams()
  const { q } = readListQuery(parameters)
  const title = q.trim() ? `Products for “${q.trim()}”` : 'Products'
  useTitle(title)
  return (
    <div className="stack">
      <h1 className={q.trim() ? '' : 'visually-hidden'}>{title}</h1>
      <Filters />
      <ProductGrid />
    </div>
  )
}
