/**
 * `npm run measure:pages`: measures how fast the shop's first page loads through nginx, in Chromium on a processor that is
 * slowed down four times. The page shows 24 products with pictures. Fails if a median is above its target. Needs nginx
 * and chromium.
 */
import { browserPath, openBrowser } from '@souk/e2e/support/browser'
import { startShop, UNLIMITED } from '@souk/e2e/support/system'
import type { Browser, CDPSession } from 'playwright-core'

const LOADS = 9
const CPU_SLOWDOWN = 4
const PICTURES = 24

/** What a load costs, each with its target. `transferred` is for comparison only. */
const TARGETS = {
  'transferred, kB': Number.POSITIVE_INFINITY,
  'JavaScript, kB': 100,
  'largest contentful paint, ms': 1_000,
  'cumulative layout shift': 0.02,
}
type Figures = Record<keyof typeof TARGETS, number>

/** Runs in the page. A shift after an input of the user does not count: https://web.dev/articles/cls */
const PAINT = `new Promise((resolve) => {
  const result = { lcp: 0, cls: 0 }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) result.lcp = entry.startTime
  }).observe({ type: 'largest-contentful-paint', buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) result.cls += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => resolve(result), 500)
})`

process.env.REQUIRE_BROWSER = '1'
const running = await startShop('sqlite', { gateway: 'nginx', envOf: { gateway: UNLIMITED } })
const browser = await openBrowser(browserPath()!)
try {
  const loads: Figures[] = []
  while (loads.length < LOADS) loads.push(await load(browser, `${running.system.urls.gateway}/shop`))
  for (const name of Object.keys(TARGETS) as (keyof Figures)[]) {
    const values = loads.map((figures) => figures[name]).sort((a, b) => a - b)
    const median = values[(LOADS - 1) / 2]!
    const isMissed = median > TARGETS[name]
    const [least, most] = [values[0]!, values.at(-1)!]
    const target = Number.isFinite(TARGETS[name]) ? `, target ${TARGETS[name]}` : ''
    console.log(
      `${name.padEnd(30)} ${show(median)} (${show(least)} to ${show(most)}${target})${isMissed ? ' MISSED' : ''}`,
    )
    if (isMissed) process.exitCode = 1
  }
} finally {
  await browser.close()
  await running.stop()
}

function show(value: number): string {
  return value < 1 ? value.toFixed(3) : value.toFixed(0)
}

/** Loads the page in a browser with an empty cache. */
async function load(browser: Browser, url: string): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  try {
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    const bytes = await countBytes(devtools)
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN })
    await page.goto(url)
    await page
      .locator('.product-card img')
      .nth(PICTURES - 1)
      .scrollIntoViewIfNeeded()
    await page.waitForLoadState('networkidle')
    const paint = await page.evaluate<{ lcp: number; cls: number }>(PAINT)
    return {
      'transferred, kB': bytes.all / 1_000,
      'JavaScript, kB': bytes.scripts / 1_000,
      'largest contentful paint, ms': paint.lcp,
      'cumulative layout shift': paint.cls,
    }
  } finally {
    await context.close()
  }
}

/** Counts the bytes that the browser receives, compressed as they are sent. */
async function countBytes(devtools: CDPSession): Promise<{ all: number; scripts: number }> {
  const bytes = { all: 0, scripts: 0 }
  const scripts = new Set<string>()
  devtools.on('Network.responseReceived', ({ requestId, type }) => {
    if (type === 'Script') scripts.add(requestId)
  })
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    bytes.all += encodedDataLength
    if (scripts.has(requestId)) bytes.scripts += encodedDataLength
  })
  await devtools.send('Network.enable')
  return bytes
}
