import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { browserPath, openBrowser } from '../support/browser.ts'
import { describeOnEachWay, type WholeSystem } from '../support/ways-to-run.ts'

const executable = browserPath()

describeOnEachWay('the Swagger pages in a browser', (start) => {
  const skip = !executable && 'no chromium here'
  let running: WholeSystem
  let browser: Browser

  before(async () => {
    if (!executable) return
    running = await start()
    browser = await openBrowser(executable)
  })
  after(async () => {
    await browser?.close()
    await running?.stop()
  })

  it('of all services log in, authorize and place an order', { skip }, async () => {
    const { page, problems } = await openPage(browser, running.urls.gateway)
    const login = await tryOut(page, 'login', '{"username":"user-1","password":"password"}')
    assert.equal(login.status, '200')
    await page.locator('button.authorize').first().click()
    await page.locator('.auth-container input').fill(JSON.parse(login.body).accessToken)
    await page.locator('.auth-btn-wrapper button.authorize').click()
    await page.locator('.auth-btn-wrapper button.btn-done').click()
    const order = await tryOut(page, 'placeOrder', '{"lines":[{"productId":1,"quantity":1}]}')
    assert.equal(order.status, '201')
    assert.equal(JSON.parse(order.body).status, 'CONFIRMED')
    assert.deepEqual(problems, [], 'nothing was refused by the policy or missing')
  })

  for (const [service, operation] of [
    ['users', 'login'],
    ['products', 'listProducts'],
    ['orders', 'placeOrder'],
  ] as const) {
    it(`of ${service} show that service's own contract`, { skip }, async () => {
      const { page, problems } = await openPage(browser, running.urls[service])
      await page.locator(`[id$="-${operation}"]`).waitFor()
      assert.deepEqual(problems, [])
    })
  }
})

async function openPage(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage()
  page.setDefaultTimeout(10_000)
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('requestfailed', (request) => problems.push(`${request.url()} failed`))
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      problems.push(`${request.url()} is foreign`)
  })
  await page.goto(url)
  await page.locator('.opblock').first().waitFor()
  return { page, problems }
}

/** Opens an operation, sends `body` with its Execute button, and reads the answer from the page. */
async function tryOut(
  page: Page,
  operationId: string,
  body: string,
): Promise<{ status: string; body: string }> {
  const block = page.locator(`[id$="-${operationId}"]`)
  await block.locator('.opblock-summary').click()
  await block.locator('textarea.body-param__text').fill(body)
  await block.locator('button.execute').click()
  const answer = block.locator('.live-responses-table .response')
  await answer.waitFor()
  const textOf = async (part: string) => (await answer.locator(part).first().textContent()) ?? ''
  const status = (await textOf('.response-col_status')).trim().slice(0, 3)
  return { status, body: await textOf('.response-col_description pre') }
}
