import { Link, Route, Switch } from 'wouter'
import { AccountPage } from '../account/account-page.tsx'
import { RequireUser } from '../account/require-user.tsx'
import { useUser } from '../account/session.ts'
import { Frame } from '../ui/frame.tsx'
import { NotFound } from '../ui/states.tsx'
import { OverviewPage } from './overview/overview-page.tsx'
import { EditPage } from './products/edit-page.tsx'
import { NewProductPage } from './products/new-product-page.tsx'
import { ProductsPage } from './products/products-page.tsx'
import { StockPage } from './products/stock-page.tsx'
import { SalesPage } from './sales-page.tsx'

/** The seller console, at /sell. */
export function Sell() {
  return (
    <Frame home="/sell" name="Souk for sellers" links={<Links />}>
      <RequireUser account="SELLER">
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/products" component={ProductsPage} />
          <Route path="/products/new" component={NewProductPage} />
          <Route path="/products/:id">{({ id }) => <EditPage key={id} id={Number(id)} />}</Route>
          <Route path="/products/:id/stock">{({ id }) => <StockPage key={id} id={Number(id)} />}</Route>
          <Route path="/sales" component={SalesPage} />
          <Route path="/account" component={AccountPage} />
          <Route component={NotFound} />
        </Switch>
      </RequireUser>
    </Frame>
  )
}

function Links() {
  const user = useUser()
  return (
    <>
      <Link href="/">Overview</Link>
      <Link href="/products">Products</Link>
      <Link href="/sales">Sales</Link>
      <Link href="~/shop">Shop</Link>
      <Link href="/account">{user?.displayName ?? 'Log in'}</Link>
    </>
  )
}
