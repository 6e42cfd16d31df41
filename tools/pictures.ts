/** `npm run pictures`: takes the screenshot of the consolidated Swagger page for the README. Needs chromium. */
import { fileURLToPath } from 'node:url'
import { browserPath, openBrowser } from '@souk/e2e/support/browser'
import { startShop } from '@souk/e2e/support/system'

const FILE = fileURLToPath(new URL('../img/swagger-ui.png', import.meta.url))
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
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 2000 } })
  await page.goto(running.system.urls.gateway)
  await page.locator('[id$="-placeOrder"]').waitFor()
  for (const tag of COLLAPSED) await page.locator(`#operations-tag-${tag}`).click()
  // Moves the pointer away from the operations, because an operation looks different when the pointer is on it.
  await page.mouse.move(0, 0)
  await page.screenshot({ path: FILE, style: STYLE, clip: { x: 0, y: 0, width: 1280, height: 850 } })
} finally {
  await browser.close()
  await running.stop()
}
