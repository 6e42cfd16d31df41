import type { Product, ProductChange } from '@souk/client'
import { useState } from 'react'
import { Dialog } from '../../ui/dialog.tsx'
import { conflictsOf, withoutFields } from './conflicts.ts'

interface ConflictDialogProps {
  seen: Product
  current: Product
  change: ProductChange
  /** Saves what the seller still wants; `{}` if the seller takes everything that is there now. */
  onDecide: (change: ProductChange) => void
  onClose: () => void
}

/** Shows what the seller saw, what is there now and what the seller wrote. The seller decides for each field. */
export function ConflictDialog({ seen, current, change, onDecide, onClose }: ConflictDialogProps) {
  const [given, setGiven] = useState<ReadonlySet<string>>(new Set())
  const conflicts = conflictsOf(seen, current, change)
  const choose = (field: string, mine: boolean) => {
    const next = new Set(given)
    if (mine) next.delete(field)
    else next.add(field)
    setGiven(next)
  }
  return (
    <Dialog title="This product has changed meanwhile" onClose={onClose} className="wide-dialog">
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">You saw</th>
              <th scope="col">It is now</th>
              <th scope="col">You wrote</th>
            </tr>
          </thead>
          <tbody>
            {conflicts.map(({ field, label, seen, current, wanted }) => (
              <tr key={field}>
                <th scope="row">{label}</th>
                <td>{seen}</td>
                <td>
                  <label className="checkbox">
                    <input
                      type="radio"
                      name={field}
                      checked={given.has(field)}
                      onChange={() => choose(field, false)}
                    />
                    {current}
                  </label>
                </td>
                <td>
                  <label className="checkbox">
                    <input
                      type="radio"
                      name={field}
                      checked={!given.has(field)}
                      onChange={() => choose(field, true)}
                    />
                    {wanted}
                  </label>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="row">
        <button
          type="button"
          className="button primary"
          onClick={() => onDecide(withoutFields(change, given))}
        >
          Save what I chose
        </button>
        <button type="button" className="button" onClick={onClose}>
          Go back
        </button>
      </div>
    </Dialog>
  )
}
