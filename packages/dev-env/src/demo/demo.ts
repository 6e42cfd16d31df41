/** `npm run demo`: two buyers order the last unit of a product at the same time, on a running system. */
import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import {
  ConnectionFailed,
  createSouk,
  type Money,
  newIdempotencyKey,
  type Order,
  Problem,
  type Product,
  type Souk,
} from '@souk/client'

const GATEWAY_URL = (process.env.GATEWAY_URL || 'http://localhost:8080').replace(/\/+$/, '')

/** Ends the demo with a message for the user. */
class DemoFailure extends Error {
  override name = 'DemoFailure'
}

async function race(): Promise<void> {
  heading(`A race for the last unit, at ${GATEWAY_URL}`)
  const seller = await join('seller', 'SELLER')
  const product = await createProduct(seller)
  const buyers = [await join('anna', 'BUYER'), await join('ben', 'BUYER')]

  heading('Both buyers order the last unit at the same time')
  const outcomes = await Promise.all(buyers.map((buyer) => placeOrder(buyer, product)))
  for (const [i, outcome] of outcomes.entries()) console.log(`  ${nameOf(buyers[i]!)}: ${textOf(outcome)}`)

  heading('Afterwards')
  const { stock } = await seller.get('/products/{id}', { params: { path: { id: product.id } } })
  console.log(`  units left of product ${product.id}: ${stock}`)
  const statuses: string[] = []
  for (const buyer of buyers) statuses.push(...(await showOrders(buyer)))
  const sold = await showSales(seller)

  const isAsPromised =
    outcomes.filter((outcome) => outcome instanceof Problem).length === 1 &&
    statuses.sort().join(' ') === 'CONFIRMED REJECTED' &&
    stock === 0 &&
    sold === 1
  if (!isAsPromised)
    throw new DemoFailure('\nExpected one confirmed order, one rejected order, one sale and no units left.')
  console.log(
    styleText('green', '\nOne buyer got the unit; the other received the reason for the rejection.'),
  )
}

const nameOf = ({ session }: Souk) => session.user!.username

/** Registers a new user and logs in. */
async function join(name: string, role: 'BUYER' | 'SELLER'): Promise<Souk> {
  const souk = createSouk({ baseUrl: GATEWAY_URL })
  const username = `demo-${name}-${randomBytes(4).toString('hex')}`
  await souk.session.register({ username, password: randomBytes(12).toString('base64url'), role })
  console.log(`  ${username} registered as a ${role.toLowerCase()} and logged in`)
  return souk
}

async function createProduct(seller: Souk): Promise<Product> {
  const product = await seller.post('/products', {
    body: { name: 'Lamp, the last one', price: { amount: 4_900, currency: 'USD' }, stock: 1 },
  })
  const { id, name, price, stock } = product
  console.log(`  ${nameOf(seller)} lists product ${id}, "${name}": ${money(price)}, units: ${stock}`)
  return product
}

/** Returns the order, or why it was rejected. */
const placeOrder = (buyer: Souk, { id }: Product): Promise<Order | Problem> =>
  buyer
    .placeOrder([{ productId: id, quantity: 1 }], { idempotencyKey: newIdempotencyKey() })
    .catch((error: unknown) => {
      if (error instanceof Problem) return error
      throw error
    })

function textOf(outcome: Order | Problem): string {
  if (!(outcome instanceof Problem))
    return `${styleText('green', `201 ${outcome.status}`)}, order ${outcome.id}`
  const shortages = outcome.lines.map(
    ({ productId, requested, available }) => `product ${productId}: ordered ${requested}, left ${available}`,
  )
  const { status, code, detail } = outcome
  return [`${styleText('yellow', `${status} ${code}`)}: ${detail}`, ...shortages].join('\n      ')
}

async function showOrders(buyer: Souk): Promise<string[]> {
  const { items } = await buyer.get('/orders')
  console.log(`  orders of ${nameOf(buyer)}:`)
  for (const { id, status, total } of items)
    console.log(`    ${id}  ${status.padEnd(9)}  ${total ? money(total) : ''}`)
  return items.map(({ status }) => status)
}

async function showSales(seller: Souk): Promise<number> {
  const { items } = await seller.get('/sellers/me/sales')
  console.log(`  sales of ${nameOf(seller)}:`)
  for (const { orderId, quantity, name, total } of items)
    console.log(`    ${orderId}  ${quantity} x ${name}, ${money(total)}`)
  return items.length
}

const heading = (text: string) => console.log(styleText('bold', `\n${text}`))
/** Formats a price. The demo uses only dollars, so the amount is in cents. */
const money = ({ amount, currency }: Money) => `${(amount / 100).toFixed(2)} ${currency}`

/** Returns the message for the user, or undefined for a bug. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof ConnectionFailed) {
    const { cause, message } = error.cause as Error
    const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? message
    return `No response from ${GATEWAY_URL} (${reason}). Run \`npm start\` first.`
  }
  if (error instanceof Problem && error.code.startsWith('http-'))
    return `${GATEWAY_URL} is not Souk: ${error.detail} Check GATEWAY_URL.`
  if (error instanceof Problem) return `${error.status} ${error.code}: ${error.detail}`
  return error instanceof DemoFailure ? error.message : undefined
}

await race().catch((error: unknown) => {
  const message = messageOf(error)
  if (message === undefined) throw error
  console.error(styleText('red', message, { stream: process.stderr }))
  process.exitCode = 1
})
