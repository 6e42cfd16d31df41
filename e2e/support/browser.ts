import { accessSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** The browser of this machine; undefined when it has none and none is required (`REQUIRE_BROWSER=1`). */
export function browserPath(): string | undefined {
  const found = CANDIDATES.find((path) => {
    try {
      accessSync(path ?? '')
      return true
    } catch {
      return false
    }
  })
  if (!found && process.env.REQUIRE_BROWSER)
    throw new Error('A browser is required; install the package chromium.')
  return found
}

/** A headless browser with nothing of its user's in it; `close` leaves nothing behind. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // Root, as in a container, can't use the sandbox; the rest keeps it from calling home.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
