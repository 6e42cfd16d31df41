import { type ReactNode, useEffect, useId, useRef } from 'react'

interface DialogProps {
  title: string
  /** Called when the user closes the dialog, with Escape or with a button. */
  onClose: () => void
  children: ReactNode
  className?: string
}

/** A modal dialog. It is open as long as it is rendered; the browser keeps the focus inside and returns it afterwards. */
export function Dialog({ title, onClose, children, className = '' }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const element = dialog.current!
    const before = document.activeElement
    if (!element.open) element.showModal()
    return () => {
      element.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const cancel = (event: { preventDefault: () => void }) => {
    event.preventDefault()
    onClose()
  }
  return (
    <dialog ref={dialog} className={className} aria-labelledby={titleId} onCancel={cancel}>
      <div className="stack">
        <div className="row spread">
          <h2 id={titleId}>{title}</h2>
          <button type="button" className="button compact" onClick={onClose} aria-label="Close">
            ✕
          </button>
        </div>
        {children}
      </div>
    </dialog>
  )
}
