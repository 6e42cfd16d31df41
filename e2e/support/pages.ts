import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import type { User } from './client.ts'

/** A page can load slowly, because several test files may run at the same time, and each starts a browser. */
const PAGE_TIMEOUT_MS = 30_000

export type Role = 'BUYER' | 'SELLER'

/** A browser of one visitor. `problems` collects what must never happen on the pages. */
export interface Visitor {
  context: BrowserContext
  problems: string[]
  /** Opens a new tab at `path`. */
  open(path: string): Promise<Page>
}

interface VisitorOptions {
  /** The user who is logged in; nobody by default. */
  user?: User
  role?: Role
}

/** Opens a browser with an empty profile. */
export async function newVisitor(
  browser: Browser,
  origin: string,
  { user, role = 'BUYER' }: VisitorOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 1440, height: 800 },
    reducedMotion: 'reduce',
    ...(user && { storageState: stateWith(origin, user, role) }),
  })
  context.setDefaultTimeout(PAGE_TIMEOUT_MS)
  const problems: string[] = []
  context.on('page', (page) => {
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
        problems.push(`${request.url()} is not on this server`)
    })
  })
  const open = async (path: string) => {
    const page = await context.newPage()
    await page.goto(path)
    return page
  }
  return { context, problems, open }
}

/** Returns a browser's storage in which the user is logged in. */
function stateWith(origin: string, { id, username, refreshToken }: User, role: Role) {
  const user = { id, username, displayName: username, role, createdAt: '' }
  const localStorage = [{ name: 'souk.session', value: JSON.stringify({ user, refreshToken }) }]
  return { cookies: [], origins: [{ origin, localStorage }] }
}

/** Presses Tab until `target` has the focus. @throws Error if it does not get the focus after 60 times */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return
  }
  throw new Error('The keyboard does not reach this element.')
}
