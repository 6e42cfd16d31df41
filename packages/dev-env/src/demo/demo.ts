/** `npm run demo`: two buyers order the last unit of a product at the same time, on a running system. */
import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import {
  type ApiResponse,
  apiAt,
  DemoFailure,
  type Money,
  type Order,
  type Page,
  type Problem,
  type Product,
  type Sale,
} from './demo-client.ts'

const GATEWAY_URL = (process.env.GATEWAY_URL || 'http://localhost:8080').replace(/\/+$/, '')
const api = apiAt(GATEWAY_URL)

async function race(): Promise<void> {
  heading(`A race for the last unit, at ${GATEWAY_URL}`)
  const seller = await join('seller', 'SELLER')
  const product = await createProduct(seller)
  const buyers = [await join('anna', 'BUYER'), await join('ben', 'BUYER')]

  heading('Both buyers order the last unit at the same time')
  const responses = await Promise.all(buyers.map((buyer) => placeOrder(buyer, product)))
  for (const [i, response] of responses.entries()) console.log(`  ${buyers[i]!.name}: ${outcome(response)}`)

  heading('Afterwards')
  const { stock } = (await api<Product>('GET', `/products/${product.id}`, { expect: 200 })).body
  console.log(`  units left of product ${product.id}: ${stock}`)
  const statuses: string[] = []
  for (const buyer of buyers) statuses.push(...(await showOrders(buyer)))
  const sold = await showSales(seller)

  const isAsPromised =
    sortedText(responses.map(({ status }) => status)) === '201 409' &&
    sortedText(statuses) === 'CONFIRMED REJECTED' &&
    stock === 0 &&
    sold === 1
  if (!isAsPromised)
    throw new DemoFailure('\nExpected one confirmed order, one rejected order, one sale and no units left.')
  console.log(
    styleText('green', '\nOne buyer got the unit; the other received the reason for the rejection.'),
  )
}

interface Person {
  name: string
  token: string
}

/** Registers a new user and logs in. */
async function join(name: string, role: 'BUYER' | 'SELLER'): Promise<Person> {
  const username = `demo-${name}-${randomBytes(4).toString('hex')}`
  const password = randomBytes(12).toString('base64url')
  await api('POST', '/users', { body: { username, password, role }, expect: 201 })
  const login = await api<{ accessToken: string }>('POST', '/auth/login', {
    body: { username, password },
    expect: 200,
  })
  console.log(`  ${username} registered as a ${role.toLowerCase()} and logged in`)
  return { name: username, token: login.body.accessToken }
}

async function createProduct({ name, token }: Person): Promise<Product> {
  const { body } = await api<Product>('POST', '/products', {
    token,
    body: { name: 'Lamp, the last one', price: { amount: 4_900, currency: 'USD' }, stock: 1 },
    expect: 201,
  })
  console.log(
    `  ${name} lists product ${body.id}, "${body.name}": ${money(body.price)}, units: ${body.stock}`,
  )
  return body
}

const placeOrder = ({ token }: Person, { id }: Product) =>
  api<Order | Problem>('POST', '/orders', { token, body: { lines: [{ productId: id, quantity: 1 }] } })

function outcome({ status, body }: ApiResponse<Order | Problem>): string {
  if (!('code' in body)) return `${styleText('green', `${status} ${body.status}`)}, order ${body.id}`
  const shortages = (body.lines ?? []).map(
    ({ productId, requested, available }) => `product ${productId}: ordered ${requested}, left ${available}`,
  )
  return [`${styleText('yellow', `${status} ${body.code}`)}: ${body.detail}`, ...shortages].join('\n      ')
}

async function showOrders({ name, token }: Person): Promise<string[]> {
  const { items } = (await api<Page<Order>>('GET', '/orders', { token, expect: 200 })).body
  console.log(`  orders of ${name}:`)
  for (const { id, status, total } of items)
    console.log(`    ${id}  ${status.padEnd(9)}  ${total ? money(total) : ''}`)
  return items.map(({ status }) => status)
}

async function showSales({ name, token }: Person): Promise<number> {
  const { items } = (await api<Page<Sale>>('GET', '/sellers/me/sales', { token, expect: 200 })).body
  console.log(`  sales of ${name}:`)
  for (const { orderId, quantity, name: product, total } of items)
    console.log(`    ${orderId}  ${quantity} x ${product}, ${money(total)}`)
  return items.length
}

const heading = (text: string) => console.log(styleText('bold', `\n${text}`))
/** Formats a price. The demo uses only dollars, so the amount is in cents. */
const money = ({ amount, currency }: Money) => `${(amount / 100).toFixed(2)} ${currency}`
const sortedText = (values: readonly (string | number)[]) => values.map(String).sort().join(' ')

await race().catch((error: unknown) => {
  if (!(error instanceof DemoFailure)) throw error
  console.error(styleText('red', error.message, { stream: process.stderr }))
  process.exitCode = 1
})
