import type { Product, ProductChange } from '@souk/client'
import { useState } from 'react'
import { Conflict, changeProduct } from './change-product.ts'

type State =
  | { step: 'idle' | 'saving' | 'saved' }
  | { step: 'failed'; error: unknown }
  | { step: 'conflict'; current: Product; change: ProductChange }

/** Changes one product, and keeps what the seller wrote when the change conflicts with another. */
export function useChange(seen: Product, onSaved: (product: Product) => void = () => {}) {
  const [state, setState] = useState<State>({ step: 'idle' })
  const save = async (change: ProductChange, base: Product = seen) => {
    if (Object.keys(change).length === 0) {
      setState({ step: 'idle' })
      return onSaved(base)
    }
    setState({ step: 'saving' })
    try {
      const saved = await changeProduct(base, change)
      setState({ step: 'saved' })
      onSaved(saved)
    } catch (error) {
      if (error instanceof Conflict) setState({ step: 'conflict', current: error.current, change })
      else setState({ step: 'failed', error })
    }
  }
  return { state, save, reset: () => setState({ step: 'idle' }) }
}
