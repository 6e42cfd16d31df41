import { Loaded } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { Filters } from './filters.tsx'
import { ProductGrid } from './product-grid.tsx'
import { useSeller } from './seller-name.tsx'

const since = (time: string) =>
  new Date(time).toLocaleDateString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })

export function SellerPage({ id }: { id: string }) {
  const seller = useSeller(id)
  useTitle(seller.data?.displayName ?? 'Seller')
  return (
    <div className="stack">
      <Loaded query={seller}>
        {({ displayName, createdAt }) => (
          <>
            <header>
              <h1>{displayName}</h1>
              <p className="soft">Selling on Souk since {since(createdAt)}</p>
            </header>
            <Filters />
            <ProductGrid sellerId={id} />
          </>
        )}
      </Loaded>
    </div>
  )
}
