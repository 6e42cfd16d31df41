import { newIdempotencyKey } from '@souk/client'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { queryClient, souk } from '../../souk.ts'
import { Field, Form } from '../../ui/form.tsx'
import { useTitle } from '../../ui/title.ts'
import { PictureField, savePicture } from './picture-field.tsx'
import { ProductFields, readProductFields } from './product-fields.tsx'

export function NewProductPage() {
  useTitle('New product')
  const [, navigate] = useLocation()
  // One key per page: if the response is lost and the seller presses the button again, there is still one product.
  const [key] = useState(newIdempotencyKey)
  const create = async (values: FormData) => {
    const product = await souk.post('/products', {
      params: { header: { 'idempotency-key': key } },
      body: { ...readProductFields(values), stock: Number(values.get('stock')) },
    })
    await savePicture(product, values)
    await queryClient.invalidateQueries({ queryKey: ['own-products'] })
    navigate('/products')
  }
  return (
    <div className="panel stack product-form">
      <h1>New product</h1>
      <Form submitLabel="List the product" onSubmit={create}>
        {(errors) => (
          <>
            <ProductFields errors={errors} />
            <Field
              label="Units in stock"
              name="stock"
              type="number"
              min="0"
              max="1000000000"
              required
              defaultValue="1"
              error={errors.stock}
            />
            <PictureField />
          </>
        )}
      </Form>
    </div>
  )
}
