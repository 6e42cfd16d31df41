import { Problem, type Product } from '@souk/client'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { souk } from '../../souk.ts'
import { formatMoney } from '../../ui/money.ts'
import { Picture } from '../../ui/picture.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { MAX_QUANTITY } from '../cart/cart.ts'
import { useCart } from '../cart/use-cart.ts'
import { SellerName } from './seller-name.tsx'

export const productQuery = (id: number) =>
  queryOptions({
    queryKey: ['product', id],
    queryFn: ({ signal }) => souk.get('/products/{id}', { params: { path: { id } }, signal }),
  })

export function ProductPage({ id }: { id: number }) {
  const query = useQuery(productQuery(id))
  useTitle(query.data?.name ?? 'Product')
  if (query.error instanceof Problem && query.error.status === 404) return <Gone />
  return <Loaded query={query}>{(product) => <ProductDetails product={product} />}</Loaded>
}

function Gone() {
  return (
    <Empty title="This product is not on sale">
      <Link className="button primary" href="/">
        Look at the products
      </Link>
    </Empty>
  )
}

function ProductDetails({ product }: { product: Product }) {
  const { name, description, price, sellerId, stock } = product
  return (
    <article className="product-page">
      <Picture product={product} eager />
      <div className="stack">
        <h1>{name}</h1>
        <p className="price figure">{formatMoney(price)}</p>
        <p>
          by{' '}
          <Link href={`/sellers/${sellerId}`}>
            <SellerName id={sellerId} />
          </Link>
        </p>
        <p className="description">{description}</p>
        {stock === 0 ? (
          <p className="notice">
            This product is sold out. Look again later, or see what else the seller has.
          </p>
        ) : (
          <AddToCart product={product} />
        )}
      </div>
    </article>
  )
}

function AddToCart({ product }: { product: Product }) {
  const { add, lines } = useCart()
  const [quantity, setQuantity] = useState(1)
  const [added, setAdded] = useState(false)
  const inCart = lines.find(({ productId }) => productId === product.id)?.quantity ?? 0
  const few = product.stock <= 3
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        add(product, quantity)
        setAdded(true)
      }}
    >
      <p className={few ? 'few-left' : 'soft'}>{few ? `Only ${product.stock} left` : 'In stock'}</p>
      <div className="row">
        <label className="inline-field">
          Quantity
          <input
            className="input quantity-input figure"
            type="number"
            min="1"
            max={Math.min(product.stock, MAX_QUANTITY)}
            required
            value={quantity || ''}
            onChange={(event) => setQuantity(Number(event.target.value))}
          />
        </label>
        <button type="submit" className="button primary">
          Add to cart
        </button>
      </div>
      <p role="status">
        {added && (
          <>
            <span className="figure">{inCart}</span> in your cart. <Link href="/cart">Go to the cart</Link>
          </>
        )}
      </p>
    </form>
  )
}
