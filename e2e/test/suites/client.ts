import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { it } from 'node:test'
import { createSouk, newIdempotencyKey, Problem, type Souk } from '@souk/client'
import { checkedFetch } from '../../support/client.ts'
import type { SystemUnderTest } from '../../support/system.ts'

/** Uses the system with the typed client, as other programs do. */
export function clientSuite(system: () => SystemUnderTest): void {
  const newUser = async (role: 'BUYER' | 'SELLER'): Promise<Souk> => {
    const { shop, urls } = system()
    const souk = createSouk({ baseUrl: urls.gateway, fetch: checkedFetch })
    const password = randomUUID()
    shop.secrets.add(password)
    await souk.session.register({ username: `client-${randomUUID().slice(0, 18)}`, password, role })
    return souk
  }
  const newProduct = (seller: Souk, stock: number) =>
    seller.post('/products', { body: { name: 'A thing', price: { amount: 500, currency: 'USD' }, stock } })
  const withCode = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

  it('a seller and two buyers trade: one order is confirmed, the other learns what is left, and a cancellation returns the units', async () => {
    const [seller, winner, loser] = [await newUser('SELLER'), await newUser('BUYER'), await newUser('BUYER')]
    const { id: productId } = await newProduct(seller, 3)
    const lines = [{ productId, quantity: 2 }]
    const idempotencyKey = newIdempotencyKey()
    const order = await winner.placeOrder(lines, { idempotencyKey })
    const again = await winner.placeOrder(lines, { idempotencyKey })
    assert.deepEqual([order.status, again.id], ['CONFIRMED', order.id])
    await assert.rejects(
      loser.placeOrder(lines, { idempotencyKey: newIdempotencyKey() }),
      (error) => withCode('insufficient-stock')(error) && (error as Problem).lines[0]?.available === 1,
    )
    const path = { id: order.id }
    await winner.untilDecided(await winner.post('/orders/{id}/cancel', { params: { path } }))
    const second = await loser.placeOrder(lines, { idempotencyKey: newIdempotencyKey() })
    const sales = await Array.fromAsync(
      seller.items('/sellers/me/sales', { params: { query: { limit: 1 } } }),
    )
    assert.deepEqual(
      new Map(sales.map(({ orderId, status }) => [orderId, status])),
      new Map([
        [order.id, 'CANCELLED'],
        [second.id, 'CONFIRMED'],
      ]),
    )
  })

  it('a change of a version that is not the newest is rejected, and nothing works after the user has logged out everywhere', async () => {
    const seller = await newUser('SELLER')
    const { id } = await newProduct(seller, 1)
    const { etag } = await seller.getWithEtag('/products/{id}', { params: { path: { id } } })
    const rename = (name: string) =>
      seller.patch('/products/{id}', {
        params: { path: { id }, header: { 'if-match': etag } },
        body: { name },
      })
    assert.equal((await rename('Another thing')).name, 'Another thing')
    await assert.rejects(rename('A third thing'), withCode('stale'))
    await seller.session.logoutEverywhere()
    await assert.rejects(seller.get('/sellers/me/products'), withCode('token-missing'))
  })
}
