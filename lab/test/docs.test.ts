import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { busyPorts } from '@souk/dev-env/launcher/ports'
import { type RunningShop, startShop, UNLIMITED_USERS } from '@souk/e2e/support/system'
import { settings as ofOrders } from 'orders/config'
import { settings as ofProducts } from 'products/config'
import { settings as ofUsers } from 'users/config'

const ROOT = new URL('../../', import.meta.url)
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
const exists = (path: string) => existsSync(new URL(path, ROOT))
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
/** Returns the fenced blocks with this info string. */
const blocksOf = (text: string, info: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${info}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!)

const STANDARD_PORTS = { gateway: 8080, users: 8001, products: 8002, productsInternal: 9002, orders: 8003 }
const README = textOf('README.md')
const TOUR = globSync('docs/tour/*.md', { cwd: ROOT }).sort()
const SETTINGS = { users: ofUsers, products: ofProducts, orders: ofOrders }

describe('commands in the documents', () => {
  let running: RunningShop
  let onStandardPorts: boolean

  before(async () => {
    // On the ports that the documents name, unless another process uses them.
    onStandardPorts = (await busyPorts(Object.values(STANDARD_PORTS))).length === 0
    const ports = onStandardPorts && { ports: STANDARD_PORTS }
    running = await startShop('sqlite', { ...ports, envOf: { users: UNLIMITED_USERS } })
  })
  after(() => running.stop())

  /** Runs a script of the documents on the running system and returns its output. */
  const runScript = async (script: string) => {
    let adapted = script
    for (const [name, port] of Object.entries(onStandardPorts ? {} : STANDARD_PORTS)) {
      const url = running.system.urls[name as keyof typeof STANDARD_PORTS]
      adapted = adapted.replaceAll(`http://localhost:${port}`, url)
    }
    const options = { cwd: fileURLToPath(ROOT) }
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', adapted], options)
    return stdout
  }

  it('the walk in the README leads from login to a cancelled order', async () => {
    const [walk] = blocksOf(README, 'sh walk')
    assert.match(walk!, /curl/)
    const output = await runScript(walk!)
    for (const expected of [
      '"items":[{"id":',
      '"status":"CONFIRMED"',
      '"total":{"amount":',
      '"status":"CANCELLED"',
    ]) {
      assert.ok(output.includes(expected), `${expected} in ${output}`)
    }
  })

  for (const page of TOUR) {
    const blocks = blocksOf(textOf(page), 'sh tour')
    if (blocks.length > 0)
      it(`the commands of ${page} succeed in their order`, async () => {
        await runScript(blocks.join('\n'))
      })
  }
})

describe('the documents', () => {
  for (const file of FILES.filter((path) => path.endsWith('.md'))) {
    const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, path]) => path!)
    if (links.length === 0) continue
    it(`the links of ${file} lead to files`, () => {
      const dead = links.filter((path) => !existsSync(new URL(path, new URL(file, ROOT))))
      assert.deepEqual(dead, [])
    })
  }

  for (const page of TOUR) {
    it(`the files that ${page} names exist`, () => {
      const named = [...textOf(page).matchAll(/`([\w@.-]+(?:\/[\w@.-]+)*\/?)`/g)].map(([, path]) => path!)
      const folders = new Set(FILES.map((path) => path.split('/', 1)[0]!))
      const isPath = (name: string) =>
        (name.includes('/') && folders.has(name.split('/', 1)[0]!)) || /\.(ts|sh|conf|ya?ml|md)$/.test(name)
      const isThere = (name: string) => exists(name) || FILES.some((path) => path.endsWith(`/${name}`))
      assert.deepEqual(
        named.filter((name) => isPath(name) && !isThere(name)),
        [],
      )
    })
  }

  it('the picture of the architecture shows every port', () => {
    const inReadme = blocksOf(README, 'mermaid')[0]
    const picture = exists('img/architecture.mmd') ? textOf('img/architecture.mmd') : inReadme
    for (const port of Object.values(STANDARD_PORTS)) assert.ok(picture?.includes(`:${port}`), `:${port}`)
    if (inReadme) assert.equal(inReadme, picture)
  })

  const hasConfiguration = exists('docs/configuration.md')

  it('docs/configuration.md names every setting', {
    skip: !hasConfiguration && 'docs/configuration.md does not exist',
  }, () => {
    const text = textOf('docs/configuration.md')
    const names = Object.values(SETTINGS).flatMap(({ properties }) => Object.keys(properties))
    assert.deepEqual(
      names.filter((name) => !text.includes(`\`${name}\``)),
      [],
    )
  })

  it('the README lists every setting of each service, and no other', {
    skip: hasConfiguration && 'docs/configuration.md has the settings',
  }, () => {
    const listed = [...README.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \| ([a-z, ]+) \|/gm)].flatMap(
      ([, name, services]) =>
        (services === 'all' ? Object.keys(SETTINGS) : services!.split(', ')).map(
          (service) => `${service} ${name}`,
        ),
    )
    const expected = Object.entries(SETTINGS).flatMap(([service, { properties }]) =>
      Object.keys(properties).map((name) => `${service} ${name}`),
    )
    assert.deepEqual(listed.sort(), expected.sort())
  })

  it('the README links to docs/security.md, where every promise names its test', () => {
    assert.ok(README.includes('(docs/security.md)'))
    const withoutHeaders = textOf('docs/security.md').replaceAll(/^\|.*\|\n\|[-|: ]+\|$/gm, '')
    const rows = withoutHeaders.match(/^\| .*$/gm) ?? []
    assert.ok(rows.length > 0)
    for (const row of rows) assert.match(row, /\]\(\.\.\/[\w/-]+\/test\/[\w/.-]+\.ts\)/)
  })

  it('the README, CONTRIBUTING.md and the tour name only scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
    const text = ['README.md', 'CONTRIBUTING.md', ...TOUR].map(textOf).join('\n')
    const named = [...text.matchAll(/npm run ([a-z:-]+)\b(?! -w)/g)].map(([, name]) => name!)
    for (const name of named) assert.ok(name in scripts || name === 'migrate', name)
  })
})
