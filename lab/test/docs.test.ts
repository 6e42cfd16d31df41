import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { busyPorts, freePorts } from '@souk/dev-env/launcher/ports'
import { type Ports, type System, startSystem } from '@souk/dev-env/launcher/system'
import { UNLIMITED_USERS } from '@souk/e2e/support/system'

const ROOT = new URL('../../', import.meta.url)
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
const exists = (path: string) => existsSync(new URL(path, ROOT))
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
/** Returns the contents of the code blocks that start with ``` and `info`. */
const blocksOf = (text: string, info: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${info}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!)

const STANDARD_PORTS = { gateway: 8080, users: 8001, products: 8002, productsInternal: 9002, orders: 8003 }
const README = textOf('README.md')
const AUDIT_PAGE = 'docs/audit-events.md'
const TOUR = globSync('docs/tour/*.md', { cwd: ROOT }).sort()
/** The ports for the API and the metrics of the second replica of orders, which the tour starts. */
const SECOND_REPLICA_PORTS = [8013, 9474]

describe('commands in the documents', () => {
  let system: System
  let env: NodeJS.ProcessEnv
  const dataDir = mkdtempSync(join(tmpdir(), 'souk-docs-'))
  /** The port that the test uses, by the port in the documents. The two are equal unless a documented port is in use. */
  let ports: Map<number, number>

  before(async () => {
    const documented = [...Object.values(STANDARD_PORTS), ...SECOND_REPLICA_PORTS]
    const areBusy = (await busyPorts(documented)).length > 0
    const used = areBusy ? await freePorts(documented.length) : documented
    ports = new Map(documented.map((port, i) => [port, used[i]!]))
    const names = Object.keys(STANDARD_PORTS) as (keyof Ports)[]
    const systemPorts = Object.fromEntries(names.map((name, i) => [name, used[i]])) as unknown as Ports
    system = await startSystem({ dataDir, ports: systemPorts, envOf: { users: UNLIMITED_USERS } })
    // The second replica of orders reads these variables.
    env = {
      ...process.env,
      DATA_DIR: dataDir,
      JWKS_URL: `${system.urls.users}/.well-known/jwks.json`,
      PRODUCTS_INTERNAL_URL: system.urls.productsInternal,
    }
  })
  after(async () => {
    await system.stop()
    rmSync(dataDir, { recursive: true })
  })

  /** Runs a script from the documents with the ports of the test, and returns its output. */
  const runScript = async (script: string) => {
    const adapted = script
      .replaceAll(/http:\/\/localhost:(\d+)/g, (_, port) => `http://localhost:${ports.get(Number(port))}`)
      .replaceAll(/PORT=(\d+)/g, (_, port) => `PORT=${ports.get(Number(port))}`)
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', adapted], {
      cwd: fileURLToPath(ROOT),
      env,
    })
    return stdout
  }

  it('the walk-through in the README succeeds and prints a confirmed and a cancelled order', async () => {
    const [walk] = blocksOf(README, 'sh walk')
    assert.match(walk!, /curl/)
    const output = await runScript(walk!)
    for (const field of [
      '"items":[{"id":',
      '"total":{"amount":',
      '"status":"CONFIRMED"',
      '"status":"CANCELLED"',
    ])
      assert.ok(output.includes(field), `${field} is not in ${output}`)
  })

  for (const page of TOUR) {
    const blocks = blocksOf(textOf(page), 'sh tour')
    if (blocks.length > 0)
      it(`the commands of ${page} succeed one after the other`, async () => {
        await runScript(blocks.join('\n'))
      })
  }
})

/** Returns the names of the audit events that the source files declare, and those that the page lists. */
function auditEvents() {
  const sources = FILES.filter((path) => /\/src\/.*\.ts$/.test(path)).map(textOf)
  // A union of names (`type AuditEvent = 'a-b' | 'c-d'`), or an object whose keys are the names.
  const declarations = sources.flatMap((text) =>
    [...text.matchAll(/\bAuditEvent =(.*?)\n\n|\bAUDIT_EVENTS = \{(.*?)\n\}/gs)].map(
      ([, union, object]) => union ?? object!,
    ),
  )
  const declared = declarations.flatMap((text) => [...text.matchAll(/'([a-z]+(?:-[a-z]+)+)'/g)])
  const listed = exists(AUDIT_PAGE) ? [...textOf(AUDIT_PAGE).matchAll(/^\| `([\w-]+)` \|/gm)] : []
  return { declared: declared.map(([, name]) => name).sort(), listed: listed.map(([, name]) => name).sort() }
}

describe('the documents', () => {
  it('docs/audit-events.md lists exactly the audit events that the services write', () => {
    const { declared, listed } = auditEvents()
    assert.deepEqual(listed, declared)
  })

  for (const file of FILES.filter((path) => path.endsWith('.md'))) {
    const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, path]) => path!)
    if (links.length === 0) continue
    it(`every relative link in ${file} leads to a file`, () => {
      const dead = links.filter((path) => !existsSync(new URL(path, new URL(file, ROOT))))
      assert.deepEqual(dead, [])
    })
  }

  for (const page of TOUR) {
    it(`every file that ${page} mentions exists`, () => {
      const named = [...textOf(page).matchAll(/`([\w@.-]+(?:\/[\w@.-]+)*\/?)`/g)].map(([, path]) => path!)
      const folders = new Set(FILES.map((path) => path.split('/', 1)[0]!))
      const isPath = (name: string) =>
        (name.includes('/') && folders.has(name.split('/', 1)[0]!)) || /\.(ts|sh|conf|ya?ml|md)$/.test(name)
      const isFound = (name: string) => exists(name) || FILES.some((path) => path.endsWith(`/${name}`))
      assert.deepEqual(
        named.filter((name) => isPath(name) && !isFound(name)),
        [],
      )
    })
  }

  it('the diagram in the README shows the port of every listener', () => {
    const [picture] = blocksOf(README, 'mermaid')
    for (const port of Object.values(STANDARD_PORTS)) assert.ok(picture?.includes(`:${port}`), `:${port}`)
  })

  for (const page of ['docs/security.md', 'docs/reliability.md'])
    it(`the README links to ${page}, and every table row of ${page} links to a test`, () => {
      assert.ok(README.includes(`(${page})`))
      const withoutHeaders = textOf(page).replaceAll(/^\|.*\|\n\|[-|: ]+\|$/gm, '')
      const rows = withoutHeaders.match(/^\| .*$/gm) ?? []
      assert.ok(rows.length > 0)
      for (const row of rows) assert.match(row, /\]\(\.\.\/[\w/-]+\/test\/[\w/.-]+\.ts\)/)
    })

  it('every `npm run` command in the README, CONTRIBUTING.md and the tour runs a script of the repository', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
    const text = ['README.md', 'CONTRIBUTING.md', ...TOUR].map(textOf).join('\n')
    const named = [...text.matchAll(/npm run ([a-z:-]+)\b(?! -w)/g)].map(([, name]) => name!)
    for (const name of named) assert.ok(name in scripts || name === 'migrate', name)
  })
})
