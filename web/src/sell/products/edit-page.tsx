import type { Product } from '@souk/client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { Form } from '../../ui/form.tsx'
import { Loaded } from '../../ui/states.tsx'
import { useTitle } from '../../ui/title.ts'
import { Conflict, changeProduct, loadOwnProduct } from './change-product.ts'
import { ConflictDialog } from './conflict-dialog.tsx'
import { PictureField, savePicture } from './picture-field.tsx'
import { ProductFields, readProductFields } from './product-fields.tsx'
import { useChange } from './use-change.ts'

export function EditPage({ id }: { id: number }) {
  const query = useQuery({
    queryKey: ['own-product', id],
    queryFn: async ({ signal }) => (await loadOwnProduct(id, signal)).data,
    // The form must not change under the hands of the seller.
    refetchOnWindowFocus: false,
    gcTime: 0,
  })
  useTitle(query.data?.name ?? 'Product')
  return <Loaded query={query}>{(product) => <EditForm product={product} />}</Loaded>
}

type Change = ReturnType<typeof readProductFields>

function EditForm({ product }: { product: Product }) {
  const [, navigate] = useLocation()
  const [conflict, setConflict] = useState<{ current: Product; change: Partial<Change> }>()
  const { state, save } = useChange(product, () => navigate('/products'))
  const submit = async (values: FormData) => {
    const change = changedFields(product, readProductFields(values))
    try {
      // The picture first: it can be stored again if the change below fails.
      await savePicture(product, values)
      if (Object.keys(change).length > 0) await changeProduct(product, change)
      navigate('/products')
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      setConflict({ current: error.current, change })
    }
  }
  const open = state.step === 'conflict' ? state : conflict
  return (
    <div className="panel stack product-form">
      <div className="row spread">
        <h1>{product.name}</h1>
        <Link href={`/products/${product.id}/stock`}>Stock: {product.stock}</Link>
      </div>
      <Form submitLabel="Save the changes" onSubmit={submit}>
        {(errors) => (
          <>
            <ProductFields product={product} errors={errors} />
            <PictureField product={product} />
          </>
        )}
      </Form>
      {open && (
        <ConflictDialog
          seen={product}
          current={open.current}
          change={open.change}
          onDecide={(change) => save(change, open.current)}
          onClose={() => setConflict(undefined)}
        />
      )}
    </div>
  )
}

/** Returns only the fields that the seller has changed, so that a concurrent change of another field is no conflict. */
function changedFields(product: Product, { name, description, price }: Change): Partial<Change> {
  const samePrice = price.amount === product.price.amount && price.currency === product.price.currency
  return {
    ...(name !== product.name && { name }),
    ...(description !== product.description && { description }),
    ...(!samePrice && { price }),
  }
}
