import { lazy, Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { Shop } from './shop/shop.tsx'
import { ErrorBoundary } from './ui/error-boundary.tsx'
import { Loading, NotFound } from './ui/states.tsx'

/** Most visitors are buyers, so the seller console is loaded only at /sell. */
const Sell = lazy(async () => ({ default: (await import('./sell/sell.tsx')).Sell }))

export function App() {
  return (
    <ErrorBoundary>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/shop" nest>
            <Shop />
          </Route>
          <Route path="/sell" nest>
            <Sell />
          </Route>
          <Route path="/">
            <Redirect to="/shop" />
          </Route>
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </ErrorBoundary>
  )
}
