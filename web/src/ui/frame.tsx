import { type ReactNode, useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { SessionDialog } from '../account/session-dialog.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { Star } from './star.tsx'
import { OfflineBar } from './states.tsx'

interface FrameProps {
  /** The address and the name of this half of the site. */
  home: string
  name: string
  /** The content of the bar between the name and the end, such as a search field. */
  bar?: ReactNode
  /** The links at the end of the bar. */
  links: ReactNode
  children: ReactNode
}

/** The bar at the top, the page, and the messages that concern every page. */
export function Frame({ home, name, bar, links, children }: FrameProps) {
  const main = useRef<HTMLElement>(null)
  const [path] = useLocation()
  const before = useRef(path)
  // A screen reader and the keyboard continue at the new page, as they would after a page is loaded.
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [path])
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="bar">
        <div className="bar-content">
          <Link className="brand" href={`~${home}`}>
            <Star />
            {name}
          </Link>
          {bar}
          <nav aria-label="Pages">{links}</nav>
        </div>
        <OfflineBar />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={path}>{children}</ErrorBoundary>
      </main>
      <SessionDialog />
    </>
  )
}
