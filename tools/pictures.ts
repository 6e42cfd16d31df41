/**
 * `npm run pictures`: takes the screenshots of the shop, the seller console and the consolidated Swagger page in img/.
 * Needs chromium.
 */
import { fileURLToPath } from 'node:url'
import { browserPath, openBrowser } from '@souk/e2e/support/browser'
import { placeOrder } from '@souk/e2e/support/client'
import { startShop } from '@souk/e2e/support/system'

const fileOf = (name: string) => fileURLToPath(new URL(`../img/${name}`, import.meta.url))
const VIEW = { width: 1280, height: 800 }
const DEMO_PASSWORD = 'password'

/** Groups of operations to collapse, so that the operation that places an order is in the picture. */
const COLLAPSED = ['auth', 'users', 'selling', 'stock']
/** Saves space, and hides the link to the OpenAPI document, because the port in the link differs between runs. */
const STYLE = `
  .swagger-ui .info .link, .swagger-ui .info__license { display: none }
  .swagger-ui .info { margin: 16px 0 }
  .swagger-ui .scheme-container { padding: 8px 0; margin: 0 }
`

process.env.REQUIRE_BROWSER = '1'
const running = await startShop('sqlite')
const browser = await openBrowser(browserPath()!)
const { gateway } = running.system.urls
try {
  await takeShop()
  await takeSellerConsole()
  await takeSwagger()
} finally {
  await browser.close()
  await running.stop()
}

async function takeShop(): Promise<void> {
  const page = await browser.newPage({ viewport: VIEW, baseURL: gateway })
  await page.goto('/shop', { waitUntil: 'networkidle' })
  // A JPEG file of these patterns has a third of the size of a PNG file.
  await page.screenshot({ path: fileOf('shop.jpg'), quality: 85 })
}

async function takeSellerConsole(): Promise<void> {
  const buyer = await running.shop.logIn('user-1', DEMO_PASSWORD)
  for (const [productId, units] of [
    [13, 4],
    [1, 3],
    [9, 2],
    [3, 1],
  ] as const)
    await placeOrder(buyer, productId, units)
  const page = await browser.newPage({ viewport: VIEW, baseURL: gateway, colorScheme: 'dark' })
  await page.goto('/sell')
  await page.getByLabel('Username').fill('seller-1')
  await page.getByLabel('Password').fill(DEMO_PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.locator('.chart').waitFor()
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: fileOf('sell.png') })
}

async function takeSwagger(): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 2000 } })
  await page.goto(gateway)
  await page.locator('[id$="-placeOrder"]').waitFor()
  for (const tag of COLLAPSED) await page.locator(`#operations-tag-${tag}`).click()
  // Moves the pointer away from the operations, because an operation looks different when the pointer is on it.
  await page.mouse.move(0, 0)
  await page.screenshot({
    path: fileOf('swagger-ui.png'),
    style: STYLE,
    clip: { x: 0, y: 0, width: 1280, height: 850 },
  })
}
