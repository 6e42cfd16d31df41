/** What a page shows while it loads, when there is nothing to show, and when something has failed. */
import { ConnectionFailed, Problem } from '@souk/client'
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useSyncExternalStore } from 'react'
import { Star } from './star.tsx'

export function Loading() {
  return (
    <p className="empty soft" role="status">
      Loading…
    </p>
  )
}

interface EmptyProps {
  title: string
  /** `h2` if the page has a title of its own. */
  heading?: 'h1' | 'h2'
  children?: ReactNode
}

/** Says that a page or a list is empty, and what to do about it. */
export function Empty({ title, heading: Heading = 'h1', children }: EmptyProps) {
  return (
    <div className="empty">
      <Star />
      <Heading>{title}</Heading>
      {children}
    </div>
  )
}

export function NotFound() {
  return (
    <Empty title="This page does not exist">
      <a className="button" href="/shop">
        Go to the shop
      </a>
    </Empty>
  )
}

/** Returns the words of a failed request. */
export function messageOf(error: unknown): string {
  if (error instanceof Problem) return error.detail
  if (error instanceof ConnectionFailed) return 'There is no connection to the shop. Check your network.'
  return 'Something went wrong in this page. Reload it to continue.'
}

/** Shows why a request failed. A screen reader announces it. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div className="notice bad" role="alert">
      <span>{messageOf(error)}</span>
      {onRetry && (
        <button type="button" className="button compact" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

interface LoadedProps<T> {
  query: UseQueryResult<T>
  /** What to show while the data loads; it should have the size of the data, so that the page does not jump. */
  loading?: ReactNode
  children: (data: T) => ReactNode
}

/** Shows the data of a query, or that it is loading, or why it failed. Data that is loaded stays when a reload fails. */
export function Loaded<T>({ query, loading = <Loading />, children }: LoadedProps<T>) {
  if (query.data !== undefined)
    return (
      <>
        {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {children(query.data)}
      </>
    )
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />
  return loading
}

function subscribeToNetwork(onChange: () => void): () => void {
  addEventListener('online', onChange)
  addEventListener('offline', onChange)
  return () => {
    removeEventListener('online', onChange)
    removeEventListener('offline', onChange)
  }
}

/** Says that the browser is offline. */
export function OfflineBar() {
  const online = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine)
  return (
    <div role="status">
      {!online && <p className="offline">You are offline. What you see may be out of date.</p>}
    </div>
  )
}
