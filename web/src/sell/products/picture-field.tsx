import type { Product } from '@souk/client'
import { type ChangeEvent, useEffect, useState } from 'react'
import { queryClient, souk } from '../../souk.ts'
import { Field } from '../../ui/form.tsx'
import { Picture } from '../../ui/picture.tsx'

const TYPES = 'image/png,image/jpeg,image/webp'
const MAX_BYTES = 512 * 1024

/** An input for the picture of a product, with a preview of the picture that the seller has chosen. */
export function PictureField({ product }: { product?: Product }) {
  const [preview, setPreview] = useState<string>()
  const [isRemoved, setRemoved] = useState(false)
  const image = product?.image
  // The browser keeps the chosen file in memory until its URL is revoked.
  useEffect(() => (preview ? () => URL.revokeObjectURL(preview) : undefined), [preview])
  const choose = ({ currentTarget: input }: ChangeEvent<HTMLInputElement>) => {
    const file = input.files?.[0]
    const isTooLarge = file !== undefined && file.size > MAX_BYTES
    input.setCustomValidity(isTooLarge ? 'Choose a picture of at most 512 KiB.' : '')
    if (isTooLarge) input.reportValidity()
    setPreview(file && !isTooLarge ? URL.createObjectURL(file) : undefined)
  }
  return (
    <div className="row picture-field">
      {preview ? (
        <img className="picture" src={preview} alt="The chosen file" />
      ) : (
        <Picture product={{ name: product?.name ?? '', image: isRemoved ? null : (image ?? null) }} />
      )}
      <div className="stack">
        <Field
          label="Picture"
          hint="PNG, JPEG or WebP, at most 512 KiB. A square looks best."
          name="picture"
          type="file"
          accept={TYPES}
          onChange={choose}
        />
        {image && !preview && (
          <label className="checkbox">
            <input
              type="checkbox"
              name="removePicture"
              checked={isRemoved}
              onChange={(event) => setRemoved(event.target.checked)}
            />
            Remove the picture
          </label>
        )}
      </div>
    </div>
  )
}

/** Stores or removes the picture of a product, if the seller has chosen to. */
export async function savePicture({ id }: Product, values: FormData): Promise<void> {
  const file = values.get('picture')
  const params = { path: { id } }
  if (file instanceof File && file.size > 0) await souk.put('/products/{id}/image', { params, body: file })
  else if (values.has('removePicture')) await souk.delete('/products/{id}/image', { params })
  else return
  await queryClient.invalidateQueries({ queryKey: ['own-products'] })
}
