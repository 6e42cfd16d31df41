import { useRef, useState } from 'react'

interface InlineEditProps {
  label: string
  value: string
  /** Shown behind the value, such as the currency. */
  unit?: string
  busy: boolean
  /** Returns an error message if the text is not valid; otherwise starts to save it. */
  onSave: (text: string) => string | undefined
}

/** A value that becomes an input when it is pressed. Enter saves, Escape restores. */
export function InlineEdit({ label, value, unit = '', busy, onSave }: InlineEditProps) {
  const [text, setText] = useState<string>()
  const [error, setError] = useState<string>()
  const button = useRef<HTMLButtonElement>(null)
  const leave = () => {
    setText(undefined)
    setError(undefined)
    // The button is there again after React has rendered.
    setTimeout(() => button.current?.focus())
  }
  const save = () => {
    if (text === undefined || text === value) return leave()
    const problem = onSave(text)
    if (problem) setError(problem)
    else leave()
  }
  if (text === undefined)
    return (
      <button
        ref={button}
        type="button"
        className="link figure"
        aria-label={`${label}: ${value} ${unit}. Change`}
        onClick={() => setText(value)}
      >
        {busy ? '…' : value} {unit}
      </button>
    )
  return (
    <span className="inline-edit">
      <input
        // The seller has just pressed the value to change it.
        // biome-ignore lint/a11y/noAutofocus: see above
        autoFocus
        className="input price-input figure"
        inputMode="decimal"
        aria-label={label}
        aria-invalid={error !== undefined}
        value={text}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') save()
          if (event.key === 'Escape') leave()
        }}
      />
      <button type="button" className="button compact" onClick={save}>
        Save
      </button>
      {error && (
        <span className="error small" role="alert">
          {error}
        </span>
      )}
    </span>
  )
}
