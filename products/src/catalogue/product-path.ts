import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ProductId } from './product-schemas.ts'

export const productPath = Type.Object({ id: ProductId }, { additionalProperties: false })

/**
 * Refuses an id in a path that is not in plain digits, before validation makes a number of it: `0x1` and `1e0`
 * would be product 1, at an address that no cache or rule in front of us knows it by.
 *
 * @throws HttpProblem 400
 */
export async function refuseOddIds({ params }: FastifyRequest): Promise<void> {
  const { id } = params as { id?: string }
  if (id === undefined || /^[1-9][0-9]*$/.test(id)) return
  throw new HttpProblem(400, 'validation-failed', 'The path has no id of a product; see errors.', {
    errors: [{ pointer: '#/id', in: 'path', detail: 'must be a whole number above 0, in digits' }],
  })
}
