import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { browserPath, openBrowser } from '../../support/browser.ts'
import { createProduct, placeOrder, type User } from '../../support/client.ts'
import { newVisitor } from '../../support/pages.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const executable = browserPath()

/** Checks every screen with axe (https://github.com/dequelabs/axe-core) in both themes, and on a small phone. */
export function accessibilitySuite(system: () => SystemUnderTest): void {
  const options = { skip: !executable && 'no browser is installed' }
  let browser: Browser
  let seller: User
  let buyer: User
  let screens: { path: string; user?: User; role?: 'SELLER'; ready: string }[]
  before(async () => {
    if (executable) browser = await openBrowser(executable)
    seller = await system().shop.newSeller()
    buyer = await system().shop.newBuyer()
    const product = await createProduct(seller, 3)
    const order = (await placeOrder(buyer, product)).id
    screens = [
      { path: '/shop', ready: '.product-card h2' },
      { path: '/shop?q=nothinghasthisword', ready: '.empty' },
      { path: `/shop/products/${product}`, ready: '.product-page' },
      { path: `/shop/sellers/${seller.id}`, ready: '.product-card h2' },
      { path: '/shop/products/2147483647', ready: '.empty' },
      { path: '/shop/cart', ready: '.empty' },
      { path: '/shop/orders', ready: '.panel form' },
      { path: '/shop/orders', user: buyer, ready: '.order-row' },
      { path: `/shop/orders/${order}`, user: buyer, ready: '.order-page table' },
      { path: '/shop/account', user: buyer, ready: '.panel form' },
      { path: '/shop/nothing', ready: '.empty' },
      { path: '/sell', user: seller, role: 'SELLER', ready: '.chart' },
      { path: '/sell/products', user: seller, role: 'SELLER', ready: '.own-products tbody tr' },
      { path: '/sell/products/new', user: seller, role: 'SELLER', ready: '.panel form' },
      { path: `/sell/products/${product}`, user: seller, role: 'SELLER', ready: '.panel form' },
      { path: `/sell/products/${product}/stock`, user: seller, role: 'SELLER', ready: 'table' },
      { path: '/sell/sales', user: seller, role: 'SELLER', ready: 'table' },
      { path: '/sell', user: buyer, ready: '.panel' },
    ]
  })
  after(() => browser?.close())

  for (const who of ['a visitor', 'a buyer', 'a seller'])
    it(
      `the screens of ${who} have no accessibility problem in both themes, and fit on a phone`,
      options,
      async () => {
        const user = { 'a visitor': undefined, 'a buyer': buyer, 'a seller': seller }[who]
        const role = who === 'a seller' ? 'SELLER' : 'BUYER'
        const { context, problems, open } = await newVisitor(browser, system().urls.gateway, {
          ...(user && { user, role }),
        })
        const page = await open('/shop')
        // A page that is left while it refreshes the access token would lose the session.
        await page.waitForLoadState('networkidle')
        for (const { path, ready } of screens.filter((screen) => screen.user === user)) {
          await page.goto(path)
          await page.locator(ready).first().waitFor()
          problems.push(...(await violations(new AxeBuilder({ page }), path)))
          await page.emulateMedia({ colorScheme: 'dark' })
          // The theme changes only the colours.
          problems.push(...(await violations(new AxeBuilder({ page }).withRules('color-contrast'), path)))
          await page.emulateMedia({ colorScheme: 'light' })
          await page.setViewportSize({ width: 360, height: 740 })
          const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
          if (width > 360) problems.push(`${path} is ${width} px wide on a phone of 360 px`)
          await page.setViewportSize({ width: 1440, height: 800 })
        }
        assert.deepEqual(problems, [])
        await context.close()
      },
    )
}

async function violations(axe: AxeBuilder, path: string): Promise<string[]> {
  const result = await axe.analyze()
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${path}: ${id}: ${html.slice(0, 200)}`),
  )
}
