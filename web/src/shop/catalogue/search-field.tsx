import { useEffect, useRef, useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { withParameters } from './list-query.ts'

/** How long the user must pause before the search starts. */
const PAUSE_MS = 250

/** Searches while the user types. The search text is in the address, so that it can be shared and survives a reload. */
export function SearchField() {
  const [path, navigate] = useLocation()
  const [parameters, setParameters] = useSearchParams()
  const inAddress = path === '/' ? (parameters.get('q') ?? '') : ''
  const [text, setText] = useState(inAddress)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // The back button changes the address, and then the field.
  useEffect(() => setText(inAddress), [inAddress])
  const search = (q: string) => {
    clearTimeout(timer.current)
    if (q === inAddress) return
    if (path === '/') setParameters((before) => withParameters(before, { q }), { replace: inAddress !== '' })
    else if (q) navigate(`/?${new URLSearchParams({ q })}`)
  }
  const type = (typed: string) => {
    setText(typed)
    clearTimeout(timer.current)
    const page = location.pathname
    // A visitor who opens a product before the search has started stays there.
    timer.current = setTimeout(() => location.pathname === page && search(typed), PAUSE_MS)
  }
  return (
    <search className="search">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          search(text)
        }}
      >
        <input
          className="input"
          type="search"
          name="q"
          aria-label="Search products"
          placeholder="Search products"
          maxLength={200}
          value={text}
          onChange={(event) => type(event.target.value)}
        />
      </form>
    </search>
  )
}
