import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { busyPorts } from '@souk/dev-env/launcher/ports'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { settings as ofOrders } from 'orders/config'
import { settings as ofProducts } from 'products/config'
import { settings as ofUsers } from 'users/config'

const run = promisify(execFile)
const ROOT = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
const README = textOf('README.md')

const STANDARD_PORTS = { gateway: 8080, users: 8001, products: 8002, productsInternal: 9002, orders: 8003 }
const blockOf = (info: string) => new RegExp(`\`\`\`${info}\n(.*?)\`\`\``, 's').exec(README)?.[1] ?? ''

describe('the README', () => {
  let running: RunningShop
  let url: string

  before(async () => {
    // On its own addresses where they are free; where somebody works on this machine, beside them.
    const free = (await busyPorts(Object.values(STANDARD_PORTS))).length === 0
    running = await startShop('sqlite', free ? { ports: STANDARD_PORTS } : {})
    url = free ? 'http://localhost:8080' : running.system.urls.gateway
  })
  after(() => running.stop())

  it('walks with curl from login to order as it stands', async () => {
    const walk = blockOf('sh walk')
    assert.match(walk, /curl/)
    const script = walk.replaceAll('http://localhost:8080', url)
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script])
    for (const expected of [
      '"items":[{"id":',
      '"status":"CONFIRMED"',
      '"total":{"amount":',
      '"status":"CANCELLED"',
    ]) {
      assert.ok(stdout.includes(expected), `${expected} in ${stdout}`)
    }
  })

  it('shows the picture of the architecture that img/ has', () => {
    assert.equal(blockOf('mermaid'), textOf('img/architecture.mmd'))
    for (const port of Object.values(STANDARD_PORTS))
      assert.ok(textOf('img/architecture.mmd').includes(`:${port}`))
  })

  it('lists every setting of each service, and no other', () => {
    const listed = [...README.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \| ([a-z, ]+) \|/gm)].flatMap(
      ([, name, services]) =>
        (services === 'all' ? ['users', 'products', 'orders'] : services!.split(', ')).map(
          (service) => `${service} ${name}`,
        ),
    )
    const read = Object.entries({ users: ofUsers, products: ofProducts, orders: ofOrders }).flatMap(
      ([service, { properties }]) => Object.keys(properties).map((name) => `${service} ${name}`),
    )
    assert.deepEqual(listed.sort(), read.sort())
  })

  for (const file of globSync('{*.md,{deploy,docs,e2e}/**/*.md}', { cwd: ROOT })) {
    const links = [...textOf(file).matchAll(/\]\((?!http)([^)#]+)/g)].map(([, path]) => path!)
    if (links.length === 0) continue
    it(`has no dead links in ${file}`, () => {
      for (const path of links) assert.ok(existsSync(new URL(path, new URL(file, ROOT))), path)
    })
  }

  it('leads to what must not get in, where each promise names its test', () => {
    assert.ok(README.includes('(docs/security.md)'))
    const rows = textOf('docs/security.md').match(/^\| (?!promised).*$/gm) ?? []
    assert.ok(rows.length > 0)
    for (const row of rows) assert.match(row, /\]\(\.\.\/[\w/-]+\/test\/[\w/.-]+\.ts\)/)
  })

  it('and CONTRIBUTING.md name only scripts that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
    const named = [...`${README}${textOf('CONTRIBUTING.md')}`.matchAll(/npm run ([a-z:-]+)\b(?! -w)/g)].map(
      ([, name]) => name!,
    )
    for (const name of named) assert.ok(name in scripts || name === 'migrate', name)
  })
})
