import { Link, Route, Switch } from 'wouter'
import { AccountPage } from '../account/account-page.tsx'
import { RequireUser } from '../account/require-user.tsx'
import { useUser } from '../account/session.ts'
import { Frame } from '../ui/frame.tsx'
import { NotFound } from '../ui/states.tsx'
import { CartPage } from './cart/cart-page.tsx'
import { useCart } from './cart/use-cart.ts'
import { CataloguePage } from './catalogue/catalogue-page.tsx'
import { ProductPage } from './catalogue/product-page.tsx'
import { SearchField } from './catalogue/search-field.tsx'
import { SellerPage } from './catalogue/seller-page.tsx'
import { OrderPage } from './orders/order-page.tsx'
import { OrdersPage } from './orders/orders-page.tsx'

/** The storefront, at /shop. */
export function Shop() {
  return (
    <Frame home="/shop" name="Souk" bar={<SearchField />} links={<Links />}>
      <Switch>
        <Route path="/" component={CataloguePage} />
        <Route path="/products/:id">{({ id }) => <ProductPage key={id} id={Number(id)} />}</Route>
        <Route path="/sellers/:id">{({ id }) => <SellerPage key={id} id={id} />}</Route>
        <Route path="/cart" component={CartPage} />
        <Route path="/orders">
          <RequireUser account="BUYER">
            <OrdersPage />
          </RequireUser>
        </Route>
        <Route path="/orders/:id">
          {({ id }) => (
            <RequireUser account="BUYER">
              <OrderPage key={id} id={id} />
            </RequireUser>
          )}
        </Route>
        <Route path="/account">
          <RequireUser account="BUYER">
            <AccountPage />
          </RequireUser>
        </Route>
        <Route component={NotFound} />
      </Switch>
      <CartBar />
    </Frame>
  )
}

function Links() {
  const user = useUser()
  const { units } = useCart()
  return (
    <>
      <Link href="/cart">
        Cart <span className="figure">({units})</span>
      </Link>
      <Link href="/orders">Orders</Link>
      <Link href="~/sell">Sell</Link>
      <Link href="/account">{user?.displayName ?? 'Log in'}</Link>
    </>
  )
}

/** On a phone, the cart is always in reach once it has something in it. */
function CartBar() {
  const { units } = useCart()
  if (units === 0) return null
  return (
    <Link href="/cart" className="cart-bar">
      <span>Your cart</span>
      <span className="figure">{units === 1 ? '1 unit' : `${units} units`}</span>
    </Link>
  )
}
