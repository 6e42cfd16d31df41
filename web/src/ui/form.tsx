import { Problem } from '@souk/client'
import {
  type ComponentProps,
  type FormEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react'
import { Failure } from './states.tsx'

/** The error of each field, by the name of the field. */
type FieldErrors = Record<string, string>

/** Returns the errors of a problem document by the name of the field: `#/price/amount` belongs to `price`. */
function fieldErrors(error: unknown): FieldErrors {
  if (!(error instanceof Problem)) return {}
  const entries = (error.errors ?? []).map(
    ({ pointer, detail }) => [pointer.split('/')[1] ?? '', detail] as const,
  )
  return Object.fromEntries(entries.filter(([name]) => name !== ''))
}

interface FormProps {
  /** The form shows an error that this function throws. What the user has typed stays. */
  onSubmit: (values: FormData) => Promise<void>
  submitLabel: string
  /** The fields; each receives the errors of the last attempt. */
  children: (errors: FieldErrors) => ReactNode
  className?: string
}

/** A form that cannot be sent twice at once and shows the errors of the API beside the fields that they concern. */
export function Form({ onSubmit, submitLabel, children, className = '' }: FormProps) {
  const form = useRef<HTMLFormElement>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const errors = fieldErrors(error)
  useEffect(() => {
    if (error !== undefined) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [error])
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      await onSubmit(new FormData(event.currentTarget))
    } catch (thrown) {
      setError(thrown)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form ref={form} className={`stack ${className}`} onSubmit={submit}>
      {children(errors)}
      {error !== undefined && Object.keys(errors).length === 0 && <Failure error={error} />}
      <button type="submit" className="button primary" aria-disabled={busy}>
        {busy ? 'One moment…' : submitLabel}
      </button>
    </form>
  )
}

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string | undefined
  error?: string | undefined
  /** Another element than `<input>`, such as a text area, with the same `name`. */
  multiline?: boolean
}

/** An input with its label, its hint and its error. */
export function Field({ label, hint, error, multiline = false, ...input }: FieldProps) {
  const id = useId()
  const props = {
    ...input,
    id,
    className: 'input',
    'aria-invalid': error ? true : undefined,
    'aria-describedby': error || hint ? `${id}-note` : undefined,
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {multiline ? <textarea {...(props as ComponentProps<'textarea'>)} /> : <input {...props} />}
      {error ? (
        <span id={`${id}-note`} className="error small">
          {error}
        </span>
      ) : (
        hint && (
          <span id={`${id}-note`} className="soft small">
            {hint}
          </span>
        )
      )}
    </div>
  )
}
