import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { browserPath, openBrowser } from '../../support/browser.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const executable = browserPath()
/** A page can load slowly, because several test files may run at the same time, and each starts a browser. */
const PAGE_TIMEOUT_MS = 60_000

/** Opens the Swagger pages of the gateway and of each service in a browser. */
export function swaggerUiSuite(system: () => SystemUnderTest): void {
  const skip = !executable && 'no browser is installed'
  let browser: Browser

  before(async () => {
    if (executable) browser = await openBrowser(executable)
  })
  after(() => browser?.close())

  it("a visitor of the gateway's Swagger page can log in, authorize and place an order", {
    skip,
  }, async () => {
    const { page, problems } = await openPage(browser, system().urls.gateway)
    const login = await tryOut(page, 'login', '{"username":"user-1","password":"password"}')
    assert.equal(login.status, '200')
    await page.locator('button.authorize').first().click()
    await page.locator('.auth-container input').fill(JSON.parse(login.body).accessToken)
    await page.locator('.auth-btn-wrapper button.authorize').click()
    await page.locator('.auth-btn-wrapper button.btn-done').click()
    const order = await tryOut(page, 'placeOrder', '{"lines":[{"productId":1,"quantity":1}]}')
    assert.equal(order.status, '201')
    assert.equal(JSON.parse(order.body).status, 'CONFIRMED')
    assert.deepEqual(problems, [])
  })

  for (const [service, operation] of [
    ['users', 'login'],
    ['products', 'listProducts'],
    ['orders', 'placeOrder'],
  ] as const) {
    it(`the Swagger page of ${service} shows the operation ${operation} without errors`, {
      skip,
    }, async () => {
      const { page, problems } = await openPage(browser, system().urls[service])
      await page.locator(`[id$="-${operation}"]`).waitFor()
      assert.deepEqual(problems, [])
    })
  }
}

/**
 * Opens the Swagger page at `url`. The array `problems` collects console errors, failed requests and requests to other
 * servers.
 */
async function openPage(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage()
  page.setDefaultTimeout(PAGE_TIMEOUT_MS)
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('requestfailed', (request) => problems.push(`${request.url()} failed`))
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      problems.push(`${request.url()} is not on this server`)
  })
  await page.goto(url)
  await page.locator('.opblock').first().waitFor()
  return { page, problems }
}

/** Opens an operation on the page, sends a request with `body`, and returns the response that the page shows. */
async function tryOut(page: Page, operationId: string, body: string) {
  const block = page.locator(`[id$="-${operationId}"]`)
  await block.locator('.opblock-summary').click()
  await block.locator('textarea.body-param__text').fill(body)
  await block.locator('button.execute').click()
  const response = block.locator('.live-responses-table .response')
  await response.waitFor()
  const textOf = async (part: string) => (await response.locator(part).first().textContent()) ?? ''
  const status = (await textOf('.response-col_status')).trim().slice(0, 3)
  return { status, body: await textOf('.response-col_description pre') }
}
