import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { browserPath, openBrowser } from '../../support/browser.ts'
import { changeProduct, createProduct, stockOf, type User } from '../../support/client.ts'
import { newVisitor, tabTo } from '../../support/pages.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const executable = browserPath()

/** Uses the storefront in a browser, as buyers do. */
export function storefrontSuite(system: () => SystemUnderTest): void {
  const options = { skip: !executable && 'no browser is installed' }
  let browser: Browser
  let seller: User
  before(async () => {
    if (executable) browser = await openBrowser(executable)
    seller = await system().shop.newSeller()
  })
  after(() => browser?.close())

  const visitor = (user?: User) => newVisitor(browser, system().urls.gateway, user && { user })
  const ordersOf = async (buyer: User) => (await buyer.souk.get('/orders')).items
  const addToCart = async (page: Page, units = 1) => {
    await page.getByLabel('Quantity').fill(`${units}`)
    await page.getByRole('button', { name: 'Add to cart' }).click()
    // The cart compares its prices with the current ones once, when it opens.
    const compared = page.waitForResponse(/\/products\/\d+$/)
    await page.getByRole('link', { name: 'Go to the cart' }).click()
    await compared
    await page.locator('.order-button').waitFor()
  }
  const isConfirmed = (page: Page) => page.getByText('Your order is confirmed').waitFor()

  it('a visitor finds a product, registers, orders it and cancels the order', options, async () => {
    const name = `Lantern ${seller.username}`
    const body = { name, description: '', price: { amount: 4_900, currency: 'USD' }, stock: 5 } as const
    const { id } = await seller.souk.post('/products', { body })
    const { open, problems, context } = await visitor()
    const page = await open('/shop')
    await page.getByRole('searchbox').pressSequentially(name)
    await page.getByRole('link', { name }).click()
    await page.getByLabel('Quantity').fill('2')
    await page.getByRole('button', { name: 'Add to cart' }).click()
    await page.getByRole('link', { name: 'Go to the cart' }).click()
    await page.getByRole('button', { name: 'I have no account yet' }).click()
    await page.getByLabel('Username').fill(`visitor-${Date.now()}`)
    const password = `nine lanterns ${Date.now()}`
    system().shop.secrets.add(password)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByRole('button', { name: 'Order for 98.00 USD' }).click()
    await isConfirmed(page)
    assert.equal(await stockOf(system().shop, id), 3)
    await page.getByRole('button', { name: 'Cancel this order' }).click()
    await page.getByRole('button', { name: 'Cancel the order' }).click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    assert.equal(await stockOf(system().shop, id), 5)
    await page.getByRole('link', { name: 'Orders' }).click()
    await page.locator('.order-row', { hasText: name }).getByText('Cancelled').waitFor()
    assert.deepEqual(problems, [])
    await context.close()
  })

  it('the loser of a race sees what is left, and takes it with one click', options, async () => {
    const id = await createProduct(seller, 3)
    const [winner, loser] = [await system().shop.newBuyer(), await system().shop.newBuyer()]
    const [first, second] = [await visitor(winner), await visitor(loser)]
    const pages = [await first.open(`/shop/products/${id}`), await second.open(`/shop/products/${id}`)]
    for (const page of pages) await addToCart(page, 2)
    await pages[0]!.locator('.order-button').click()
    await isConfirmed(pages[0]!)
    // The cart of the loser does not know yet.
    await pages[1]!.locator('.order-button').click()
    await pages[1]!.getByText('The order was not placed').waitFor()
    await pages[1]!.getByRole('button', { name: 'Take the 1 that is left' }).click()
    await pages[1]!.locator('.order-button').click()
    await isConfirmed(pages[1]!)
    assert.equal(await stockOf(system().shop, id), 0)
    assert.deepEqual([...first.problems, ...second.problems], [])
    for (const { context } of [first, second]) await context.close()
  })

  it('a new price is shown, and accepted, before the order is placed', options, async () => {
    const id = await createProduct(seller, 3, 4_900)
    const buyer = await system().shop.newBuyer()
    const { open, context } = await visitor(buyer)
    const page = await open(`/shop/products/${id}`)
    await addToCart(page)
    await changeProduct(seller, id, { price: { amount: 5_200, currency: 'USD' } })
    await page.locator('.order-button').click()
    await page.getByRole('button', { name: 'Accept 52.00 USD' }).click()
    await page.getByRole('button', { name: 'Order for 52.00 USD' }).click()
    await isConfirmed(page)
    await context.close()
  })

  it('a double click on the order button places one order', options, async () => {
    const buyer = await system().shop.newBuyer()
    const { open, context } = await visitor(buyer)
    const page = await open(`/shop/products/${await createProduct(seller, 5)}`)
    await addToCart(page)
    await page.locator('.order-button').dblclick()
    await isConfirmed(page)
    assert.equal((await ordersOf(buyer)).length, 1)
    await context.close()
  })

  it('a lost response, and a reload while the order is sent, place one order', options, async () => {
    const buyer = await system().shop.newBuyer()
    const { open, context } = await visitor(buyer)
    for (const interrupt of ['lost', 'reload'] as const) {
      const page = await open(`/shop/products/${await createProduct(seller, 5)}`)
      await addToCart(page)
      let sent = 0
      const arrived = Promise.withResolvers<void>()
      await page.route('**/orders', async (route) => {
        if (route.request().method() !== 'POST' || sent++ > 0) return route.continue()
        // The server places the order, and the page receives no response.
        await route.fetch()
        if (interrupt === 'lost') await route.abort()
        arrived.resolve()
      })
      await page.locator('.order-button').click()
      await arrived.promise
      if (interrupt === 'reload') await page.reload()
      await isConfirmed(page)
      assert.ok(sent > 1, 'the page has sent the order again')
      await page.close()
    }
    assert.equal((await ordersOf(buyer)).length, 2)
    await context.close()
  })

  it('a buyer can order with the keyboard only', options, async () => {
    const id = await createProduct(seller, 5)
    const { open, context } = await visitor(await system().shop.newBuyer())
    const page = await open(`/shop/products/${id}`)
    await page.getByRole('button', { name: 'Add to cart' }).waitFor()
    for (const target of [
      page.getByRole('button', { name: 'Add to cart' }),
      page.getByRole('link', { name: 'Go to the cart' }),
      page.locator('.order-button'),
    ]) {
      await target.waitFor()
      await tabTo(page, target)
      await page.keyboard.press('Enter')
    }
    await isConfirmed(page)
    await context.close()
  })

  it(
    'a reload does not refresh the session, because a second reload could lose the response',
    options,
    async () => {
      const { open, context } = await visitor(await system().shop.newBuyer())
      const page = await open('/shop/orders')
      await page.getByText('No orders yet').waitFor()
      await page.route('**/auth/refresh', async (route) => {
        await route.fetch()
        await route.abort()
      })
      await page.reload()
      await page.getByText('No orders yet').waitFor()
      await context.close()
    },
  )

  it(
    'tabs that refresh the session at the same time stay logged in, and log out together',
    options,
    async () => {
      const { open, context } = await visitor(await system().shop.newBuyer())
      const tabs = [await open('/shop/orders'), await open('/shop/orders'), await open('/shop/orders')]
      const areLoggedIn = () => Promise.all(tabs.map((tab) => tab.getByText('No orders yet').waitFor()))
      for (let round = 0; round < 2; round++) {
        await areLoggedIn()
        await Promise.all(tabs.map((tab) => tab.reload()))
      }
      await areLoggedIn()
      await tabs[0]!.goto('/shop/account')
      await tabs[0]!.getByRole('button', { name: 'Log out', exact: true }).click()
      for (const tab of tabs) await tab.getByRole('button', { name: 'Log in' }).waitFor()
      await context.close()
    },
  )
}
