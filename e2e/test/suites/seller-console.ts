import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { browserPath, openBrowser } from '../../support/browser.ts'
import { changeProduct, createProduct, placeOrder, type User } from '../../support/client.ts'
import { newVisitor, tabTo } from '../../support/pages.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const executable = browserPath()
/** A picture of one pixel. */
const PICTURE = {
  name: 'pixel.png',
  mimeType: 'image/png',
  buffer: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==',
    'base64',
  ),
}

/** Uses the seller console in a browser, as sellers do. */
export function sellerConsoleSuite(system: () => SystemUnderTest): void {
  const options = { skip: !executable && 'no browser is installed' }
  let browser: Browser
  before(async () => {
    if (executable) browser = await openBrowser(executable)
  })
  after(() => browser?.close())

  const visitor = (user: User) => newVisitor(browser, system().urls.gateway, { user, role: 'SELLER' })

  it(
    'a seller lists a product, changes its price and stock in place, hides it, and sees a sale',
    options,
    async () => {
      const seller = await system().shop.newSeller()
      const { open, problems, context } = await visitor(seller)
      const page = await open('/sell')
      await page.getByText('No products yet').waitFor()
      await page.getByRole('link', { name: 'New product' }).first().click()
      await page.getByLabel('Name').fill('Brass lantern')
      await page.getByLabel('Price').fill('49')
      await page.getByLabel('Units in stock').fill('2')
      await page.getByLabel('Picture', { exact: true }).setInputFiles(PICTURE)
      await page.getByAltText('The chosen file').waitFor()
      await page.getByRole('button', { name: 'List the product' }).click()
      await page.getByRole('button', { name: /^Price of Brass lantern: 49.00/ }).click()
      await page.keyboard.type('52.5')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: /^Price of Brass lantern: 52.50/ }).waitFor()
      await page.getByRole('button', { name: 'One unit of Brass lantern more' }).click()
      await page.getByRole('button', { name: /^Stock of Brass lantern: 3/ }).waitFor()
      await page.getByRole('button', { name: 'Hide' }).click()
      await page.getByText('Brass lantern is hidden.').waitFor()
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText('On sale', { exact: true }).last().waitFor()
      const [product] = (await seller.souk.get('/sellers/me/products')).items
      assert.deepEqual(
        [product?.price.amount, product?.stock, product?.status, product?.sellerId],
        [5_250, 3, 'ACTIVE', seller.id],
      )
      const stored = await fetch(system().urls.gateway + product!.image!.url)
      assert.deepEqual(Buffer.from(await stored.arrayBuffer()), PICTURE.buffer)
      await placeOrder(await system().shop.newBuyer(), product!.id, 2)
      await page.getByRole('link', { name: 'Sales' }).click()
      await page.getByRole('row', { name: /Brass lantern 2 105.00 USD Sold/ }).waitFor()
      await page.getByRole('link', { name: 'Overview' }).click()
      await page.getByRole('row', { name: 'Brass lantern 2 105.00 USD' }).waitFor()
      await page.getByText('2 units sold').waitFor()
      await page.getByRole('link', { name: /Brass lantern 1 left/ }).waitFor()
      assert.deepEqual(problems, [])
      await context.close()
    },
  )

  it(
    'a change that conflicts with another shows all three values, and saves what the seller chooses',
    options,
    async () => {
      const seller = await system().shop.newSeller()
      const id = await createProduct(seller, 1, 1_000)
      const { open, context } = await visitor(seller)
      const page = await open(`/sell/products/${id}`)
      await page.getByLabel('Price').fill('30')
      await page.getByLabel('Name').fill('A better thing')
      await changeProduct(seller, id, { price: { amount: 2_000, currency: 'USD' } })
      await page.getByRole('button', { name: 'Save the changes' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('row', { name: 'Price 10.00 USD 20.00 USD 30.00 USD' }).waitFor()
      await dialog.getByLabel('20.00 USD').check()
      await dialog.getByRole('button', { name: 'Save what I chose' }).click()
      await page.getByRole('link', { name: 'A better thing', exact: true }).waitFor()
      const product = await seller.souk.get('/products/{id}', { params: { path: { id } } })
      assert.deepEqual([product.name, product.price.amount], ['A better thing', 2_000])
      await context.close()
    },
  )

  it(
    'a seller replaces and removes the picture of a product, and keeps it after choosing a file that is too large',
    options,
    async () => {
      const seller = await system().shop.newSeller()
      const id = await createProduct(seller, 1)
      const { open, problems, context } = await visitor(seller)
      const page = await open(`/sell/products/${id}`)
      const image = async () => (await seller.call('GET', `/products/${id}`)).body.image
      const save = async () => {
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByRole('heading', { name: 'Products' }).waitFor()
        await page.getByRole('link', { name: 'A thing', exact: true }).click()
      }
      await page.getByLabel('Picture', { exact: true }).setInputFiles(PICTURE)
      await save()
      assert.equal((await image()).contentType, 'image/png')
      await page
        .getByLabel('Picture', { exact: true })
        .setInputFiles({ ...PICTURE, buffer: Buffer.alloc(524_289) })
      await page.getByRole('button', { name: 'Save the changes' }).click()
      await page.locator('input[name=picture]:invalid').waitFor()
      await page.reload()
      await page.getByLabel('Remove the picture').check()
      await save()
      assert.equal(await image(), null)
      assert.deepEqual(problems, [])
      await context.close()
    },
  )

  it('a seller can list a product with the keyboard only', options, async () => {
    const { open, context } = await visitor(await system().shop.newSeller())
    const page = await open('/sell')
    const link = page.getByRole('link', { name: 'New product' }).first()
    await link.waitFor()
    await tabTo(page, link)
    await page.keyboard.press('Enter')
    for (const [label, value] of [
      ['Name', 'Cedar box'],
      ['Price', '12'],
    ] as const) {
      const field = page.getByLabel(label)
      await field.waitFor()
      await tabTo(page, field)
      await page.keyboard.type(value)
    }
    await tabTo(page, page.getByRole('button', { name: 'List the product' }))
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Cedar box', exact: true }).waitFor()
    await context.close()
  })

  it('a seller whose session ends while typing logs in again, and nothing is lost', options, async () => {
    const seller = await system().shop.newSeller()
    const { open, context } = await visitor(seller)
    await context.clock.install()
    const page = await open('/sell')
    await page.getByRole('link', { name: 'New product' }).first().click()
    await page.getByLabel('Name').fill('Typed before')
    await page.getByLabel('Price').fill('12')
    const body = { currentPassword: seller.password, newPassword: `${seller.password}-2` }
    system().shop.secrets.add(body.newPassword)
    await seller.souk.put('/users/me/password', { body })
    // The access token of the page expires.
    await context.clock.fastForward('16:00')
    await page.getByRole('button', { name: 'List the product' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Password').fill(body.newPassword)
    await dialog.getByRole('button', { name: 'Log in' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'List the product' }).click()
    await page.getByRole('link', { name: 'Typed before', exact: true }).waitFor()
    await context.close()
  })
}
