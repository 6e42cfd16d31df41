/** `npm run pictures`: takes the screenshot of the consolidated Swagger page for the README. Needs chromium. */
import { fileURLToPath } from 'node:url'
import { browserPath, openBrowser } from '@souk/e2e/support/browser'
import { startShop } from '@souk/e2e/support/system'

process.env.REQUIRE_BROWSER = '1'
const running = await startShop('sqlite')
const browser = await openBrowser(browserPath()!)
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1500 } })
  await page.goto(running.system.urls.gateway)
  await page.locator('[id$="-placeOrder"]').waitFor()
  await page.screenshot({ path: fileURLToPath(new URL('../img/swagger-ui.png', import.meta.url)) })
} finally {
  await browser.close()
  await running.stop()
}
