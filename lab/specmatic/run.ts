/**
 * `npm run test:specmatic`: starts the system on SQLite, and Specmatic (https://specmatic.io) sends it about 2,000 valid
 * and invalid requests that it generates from the contract. Fails if a response has a status or a body that the contract
 * does not list, or if the system accepts an invalid request. Takes about a minute and a half; needs Java 17.
 *
 * Specmatic reports on what the contract lists. The suite `fuzz` of e2e/ sends requests that no contract describes.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startShop, UNLIMITED_USERS } from '@souk/e2e/support/system'
import { readContract } from '@souk/service-kit/testing/contract'
import { contractForSpecmatic } from './contract.ts'
import { casesOf, faultsIn } from './report.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const JAR = join(FOLDER, 'node_modules/specmatic/specmatic.jar')
const TIMEOUT_MS = 240_000
/** The number of requests that Specmatic generates for a response, when more combinations are possible. */
const COMBINATIONS = 10
const FAULTS_SHOWN = 20

if (!existsSync(JAR))
  execFileSync('npm', ['ci', '--ignore-scripts', '--workspaces=false'], { cwd: FOLDER, stdio: 'inherit' })
const folder = mkdtempSync(join(tmpdir(), 'souk-specmatic-'))
const shop = await startShop('sqlite', { envOf: { users: UNLIMITED_USERS } })
try {
  const cases = casesOf(await reportOfSpecmatic())
  const faults = faultsIn(cases, contractForSpecmatic(readContract('openapi')))
  for (const fault of faults.slice(0, FAULTS_SHOWN)) console.error(`\n${fault}`)
  console.log(`${cases.length} requests, ${faults.length} faults.`)
  process.exitCode = faults.length > 0 ? 1 : 0
} finally {
  await shop.stop()
  rmSync(folder, { recursive: true })
}

/** Runs Specmatic with the tokens of the demo buyer and the demo seller, and returns its report as JUnit XML. */
async function reportOfSpecmatic(): Promise<string> {
  const [buyer, seller] = await Promise.all(
    ['user-1', 'seller-1'].map((name) => shop.shop.logIn(name, 'password')),
  )
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(contractForSpecmatic(readContract('openapi'))))
  const config = {
    version: 2,
    contracts: [{ provides: ['openapi.json'] }],
    test: { resiliencyTests: { enable: 'all' } },
  }
  writeFileSync(join(folder, 'specmatic.json'), JSON.stringify(config))
  const args = ['-jar', JAR, 'test', `--testBaseURL=${shop.urls.gateway}`, '--junitReportDir=report']
  const output = openSync(join(folder, 'output'), 'w')
  const specmatic = spawn('java', args, {
    cwd: folder,
    env: {
      ...process.env,
      buyer: buyer!.accessToken,
      seller: seller!.accessToken,
      MAX_TEST_REQUEST_COMBINATIONS: `${COMBINATIONS}`,
      SPECMATIC_DISABLE_TELEMETRY: 'true',
    },
    stdio: ['ignore', output, output],
    timeout: TIMEOUT_MS,
  })
  // The exit code does not matter: Specmatic counts every valid request with a 4xx response as a failure.
  const [, signal] = await once(specmatic, 'exit')
  const report = join(folder, 'report/TEST-junit-jupiter.xml')
  if (signal || !existsSync(report)) {
    console.error(readFileSync(join(folder, 'output'), 'utf8').slice(-5_000))
    throw new Error(
      signal ? `Specmatic did not end within ${TIMEOUT_MS / 1_000} s` : 'Specmatic wrote no report',
    )
  }
  return readFileSync(report, 'utf8')
}
