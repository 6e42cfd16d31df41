import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** The headless shell comes first: it has the same engine as Chromium, and the tests of the pages need a third less time. */
const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Returns the path of an installed browser. @throws Error if no browser is installed and `REQUIRE_BROWSER` is set */
export function browserPath(): string | undefined {
  const found = CANDIDATES.find((path) => path !== undefined && existsSync(path))
  if (!found && process.env.REQUIRE_BROWSER)
    throw new Error('A browser is required; install the package chromium.')
  return found
}

/** Starts a headless browser with an empty profile. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // The browser's sandbox does not work for root, which is often the user in a container.
      '--no-sandbox',
      '--disable-gpu',
      // Send nothing to the browser's vendor.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
