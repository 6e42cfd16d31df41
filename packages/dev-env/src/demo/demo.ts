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
const TIMEOUT_MS = 30_000

/** Ends the demo with a message for the user. */
class DemoFailure extends Error {}

async function race(): Promise<void> {
  await checkGateway()
  heading(`A race for the last unit, at ${GATEWAY_URL}`)
  const seller = await join('seller', 'SELLER')
  const product = await createProduct(seller)
  const buyers = [await join('anna', 'BUYER'), await join('ben', 'BUYER')]

  heading('Both buyers order the last unit at the same time')
  const outcomes = await Promise.all(buyers.map((buyer) => placeOrder(buyer, product)))
  for (const [i, outcome] of outcomes.entries()) console.log(`  ${buyers[i]!.name}: ${describe(outcome)}`)

  heading('Afterwards')
  const { stock } = await seller.souk.get('/products/{id}', { params: { path: { id: product.id } } })
  console.log(`  units left of product ${product.id}: ${stock}`)
  const statuses: string[] = []
  for (const buyer of buyers) statuses.push(...(await showOrders(buyer)))
  const sold = await showSales(seller)

  const isAsPromised =
    sortedText(outcomes.map(({ result }) => (result instanceof Problem ? result.code : result.status))) ===
      'CONFIRMED insufficient-stock' &&
    sortedText(statuses) === 'CONFIRMED REJECTED' &&
    stock === 0 &&
    sold === 1
  if (!isAsPromised)
    throw new DemoFailure('\nExpected one confirmed order, one rejected order, one sale and no units left.')
  console.log(
    styleText('green', '\nOne buyer got the unit; the other received the reason for the rejection.'),
  )
}

/** @throws DemoFailure if no program responds at GATEWAY_URL, or a program that is not Souk */
async function checkGateway(): Promise<void> {
  const url = `${GATEWAY_URL}/openapi.json`
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error) => {
    throw new DemoFailure(noResponse(error))
  })
  const contract = (await response.json().catch(() => undefined)) as { info?: { title?: string } } | undefined
  if (contract?.info?.title !== 'Souk')
    throw new DemoFailure(
      `The program that responds at ${GATEWAY_URL} is not Souk. Set GATEWAY_URL to the address of Souk.`,
    )
}

interface Person {
  name: string
  souk: Souk
}

/** Registers a new user and logs in. */
async function join(name: string, role: 'BUYER' | 'SELLER'): Promise<Person> {
  const username = `demo-${name}-${randomBytes(4).toString('hex')}`
  const password = randomBytes(12).toString('base64url')
  const souk = createSouk({
    baseUrl: GATEWAY_URL,
    fetch: (request) =>
      fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) }),
  })
  await souk.session.register({ username, password, role })
  console.log(`  ${username} registered as a ${role.toLowerCase()} and logged in`)
  return { name: username, souk }
}

async function createProduct({ name, souk }: Person): Promise<Product> {
  const price = { amount: 4_900, currency: 'USD' } as const
  const product = await souk.post('/products', {
    body: { name: 'Lamp, the last one', description: '', price, stock: 1 },
  })
  console.log(
    `  ${name} lists product ${product.id}, "${product.name}": ${money(product.price)}, units: ${product.stock}`,
  )
  return product
}

interface Outcome {
  /** The order, or the reason for its rejection. */
  result: Order | Problem
  /** Whether the first response was 202, so that the decision came later. */
  wasPending: boolean
}

async function placeOrder({ souk }: Person, { id }: Product): Promise<Outcome> {
  let wasPending = false
  const result = await souk
    .placeOrder([{ productId: id, quantity: 1 }], {
      idempotencyKey: newIdempotencyKey(),
      onPending: () => {
        wasPending = true
      },
    })
    .catch((error: unknown) => {
      if (error instanceof Problem) return error
      throw error
    })
  return { result, wasPending }
}

function describe({ result, wasPending }: Outcome): string {
  const first = wasPending ? '202 PENDING, then ' : ''
  if (!(result instanceof Problem))
    return `${first}${styleText('green', `${wasPending ? '' : '201 '}${result.status}`)}, order ${result.id}`
  const shortages = result.lines.map(
    ({ productId, requested, available }) => `product ${productId}: ordered ${requested}, left ${available}`,
  )
  const summary = `${styleText('yellow', `${result.status} ${result.code}`)}: ${result.detail}`
  return [first + summary, ...shortages].join('\n      ')
}

async function showOrders({ name, souk }: Person): Promise<string[]> {
  const { items } = await souk.get('/orders')
  console.log(`  orders of ${name}:`)
  for (const { id, status, total } of items)
    console.log(`    ${id}  ${status.padEnd(9)}  ${total ? money(total) : ''}`)
  return items.map(({ status }) => status)
}

async function showSales({ name, souk }: Person): Promise<number> {
  const { items } = await souk.get('/sellers/me/sales')
  console.log(`  sales of ${name}:`)
  for (const { orderId, quantity, name: product, total } of items)
    console.log(`    ${orderId}  ${quantity} x ${product}, ${money(total)}`)
  return items.length
}

const heading = (text: string) => console.log(styleText('bold', `\n${text}`))
/** Formats a price. The demo uses only dollars, so the amount is in cents. */
const money = ({ amount, currency }: Money) => `${(amount / 100).toFixed(2)} ${currency}`
const sortedText = (values: readonly string[]) => values.toSorted().join(' ')

function noResponse({ cause, message }: Error): string {
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? message
  return `No response from ${GATEWAY_URL} (${reason}). Run \`npm start\` first.`
}

/** Returns the message for the user, undefined if the error is a bug of the demo. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof DemoFailure) return error.message
  if (error instanceof ConnectionFailed) return noResponse(error.cause as Error)
  if (error instanceof Problem) return `The response is ${error.status} ${error.code}: ${error.detail}`
  return undefined
}

await race().catch((error: unknown) => {
  const message = messageOf(error)
  if (message === undefined) throw error
  console.error(styleText('red', message, { stream: process.stderr }))
  process.exitCode = 1
})
