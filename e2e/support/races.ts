import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createProduct, sendOrder, type User } from './client.ts'

export const SIMULTANEOUS_ORDERS = 500
export const REPETITIONS = 50

/** Sends 500 simultaneous orders for the only unit of a new product. Asserts that exactly one order is confirmed. */
export async function raceForLastUnit(seller: User, buyers: readonly User[]): Promise<void> {
  const productId = await createProduct(seller, 1)
  const orders = Array.from({ length: SIMULTANEOUS_ORDERS }, (_, i) =>
    sendOrder(buyers[i % buyers.length]!, productId),
  )
  const statuses = (await Promise.all(orders)).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 201).length, 1, 'number of confirmed orders')
  // The response to a rejected order may be 202, if the rejection comes later. Not every run has a 202, so add one.
  assert.deepEqual([...new Set([...statuses, 202])].sort(), [201, 202, 409])
}

/** Sends 50 simultaneous requests with the same idempotency key. Asserts that all responses are the same 201. */
export async function repeatSimultaneously(buyer: User, productId: number): Promise<void> {
  const key = randomUUID()
  const requests = Array.from({ length: REPETITIONS }, () => sendOrder(buyer, productId, 1, key))
  const responses = await Promise.all(requests)
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [201])
  assert.equal(new Set(responses.map(({ text }) => text)).size, 1, 'number of different response bodies')
}
