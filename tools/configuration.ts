/**
 * Writes docs/configuration.md: every environment variable that a service, the gateway, `npm start` or a test reads.
 * Part of `npm run contracts`. `--check` writes nothing and fails when the file differs or a variable is missing.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gatewaySettings } from '@souk/dev-env/gateway/config'
import { nginxSettings } from '@souk/dev-env/gateway/nginx-config'
import { startSettings } from '@souk/dev-env/launcher/start-config'
import { settings as ordersSettings } from 'orders/config'
import { settings as productsSettings } from 'products/config'
import { settings as usersSettings } from 'users/config'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const FILE = 'docs/configuration.md'

/** What the generator reads of the schema of a setting. */
interface Setting {
  default?: unknown
  description?: string
  developmentOnly?: true
}

interface Row {
  name: string
  usedBy?: string | undefined
  byDefault: string
  meaning: string
}

/** The settings of each process. */
type Schemas = Record<string, { properties: Record<string, object> }>

/** Variables that no schema lists. */
const OTHERS: Record<'demo' | 'services' | 'tests', Row[]> = {
  demo: [
    {
      name: 'GATEWAY_URL',
      byDefault: '`http://localhost:8080`',
      meaning: 'the gateway that `npm run demo` calls',
    },
  ],
  services: [
    {
      name: 'FAILPOINT',
      byDefault: '',
      meaning:
        'kills the service at a named point, for the fault tests: `after-T1:40` when it passes the point `after-T1` for the 40th time; rejected in production',
    },
  ],
  tests: [
    {
      name: 'TEST_ENGINES',
      byDefault: 'all that are reachable',
      meaning: 'runs the tests only on these engines, separated by commas: `sqlite,postgres,mysql`',
    },
    {
      name: 'TEST_POSTGRES_URL',
      byDefault: '`postgres://postgres:admin@127.0.0.1:5432/postgres`',
      meaning: 'the PostgreSQL server for tests, with a user who can create databases',
    },
    {
      name: 'TEST_MYSQL_URL',
      byDefault: '`mysql://root@127.0.0.1:3306/`',
      meaning: 'the MySQL or MariaDB server for tests, with a user who can create databases',
    },
    {
      name: 'REQUIRE_ENGINES',
      byDefault: '',
      meaning: 'fails if one of these engines is not reachable; otherwise its tests are skipped',
    },
    { name: 'REQUIRE_NGINX', byDefault: '', meaning: 'fails if nginx is not installed' },
    { name: 'REQUIRE_BROWSER', byDefault: '', meaning: 'fails if chromium is not installed' },
    { name: 'REQUIRE_PROMETHEUS', byDefault: '', meaning: 'fails if Prometheus is not installed' },
    { name: 'REQUIRE_KUBECTL', byDefault: '', meaning: 'fails if kubectl is not installed' },
    { name: 'CHROMIUM', byDefault: 'the usual paths', meaning: 'the path of the browser that the tests use' },
    { name: 'SEED', byDefault: 'random', meaning: 'repeats the random choices of an earlier run' },
    {
      name: 'RUNNING_SYSTEM',
      byDefault: '',
      meaning: 'a running system to test, as JSON; `npm run test:containers` sets it',
    },
  ],
}

/** Variables of Node, npm or the operating system. */
const NOT_OURS = ['PATH']

const text = page()
if (process.argv.includes('--check')) {
  const complaints = [
    ...undocumented(),
    ...(text === committed() ? [] : [`${FILE} is out of date: run \`npm run contracts\` and commit it.`]),
  ]
  for (const complaint of complaints) console.error(complaint)
  process.exitCode = complaints.length > 0 ? 1 : 0
} else {
  writeFileSync(`${ROOT}${FILE}`, text)
  console.log(`Wrote ${FILE}`)
}

function page(): string {
  const schemas: Schemas = {
    users: usersSettings,
    products: productsSettings,
    orders: ordersSettings,
    gateway: gatewaySettings,
  }
  return `<!-- Written by \`npm run contracts\` from the settings in the code. Do not edit it. -->
# Configuration

Each process reads its settings from the environment at start and names every variable that it cannot use. An empty
variable counts as unset.

## Services

\`npm start -w users\` and its siblings also read the file \`.env\` in the service's folder; the environment has priority.
For every variable, \`<NAME>_FILE\` can name a file that contains the value. \`gateway\` is the embedded gateway of
\`npm start\`.

${table([...settingRows(schemas), ...OTHERS.services.map((row) => ({ ...row, usedBy: 'users, products, orders' }))])}
## npm start and npm run demo

${table([...settingRows({ start: startSettings }).map((row) => ({ ...row, usedBy: undefined })), ...OTHERS.demo])}
## The gateway in containers (nginx)

${table(nginxRows())}
## Tests and checks

${table(OTHERS.tests)}`
}

/** One row for each variable and meaning, with the processes that read it. */
function settingRows(schemas: Schemas): Row[] {
  const settings = Object.entries(schemas).flatMap(([process, { properties }]) =>
    Object.entries(properties).map(([name, setting]) => ({ process, name, setting: setting as Setting })),
  )
  const groups = Map.groupBy(settings, ({ name, setting }) => `${name} ${setting.description ?? ''}`)
  return [...groups.values()].map((group) => ({
    name: group[0]!.name,
    usedBy: group.map(({ process }) => process).join(', '),
    byDefault: [...new Set(group.map(({ setting }) => defaultOf(setting)))].join(', '),
    // Markdown would hide a placeholder such as <file>.
    meaning: (group[0]!.setting.description ?? '').replaceAll('<', '\\<'),
  }))
}

function nginxRows(): Row[] {
  return nginxSettings().map(({ name, byDefault, meaning }) => ({
    name,
    byDefault: code(byDefault),
    // A comment of the Dockerfile, which starts with a capital letter
    meaning: meaning.charAt(0).toLowerCase() + meaning.slice(1),
  }))
}

function defaultOf(setting: Setting): string {
  if (setting.developmentOnly) return 'a public one, rejected in production'
  return code(String(setting.default ?? '').replace(ROOT, ''))
}

function code(value: string): string {
  return value === '' ? '' : `\`${value}\``
}

function table(rows: Row[]): string {
  const hasUsers = rows.some(({ usedBy }) => usedBy !== undefined)
  const line = (cells: (string | undefined)[]) =>
    `| ${cells
      .filter((cell) => cell !== undefined)
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | ')} |\n`
  return [
    line(['variable', hasUsers ? 'service' : undefined, 'default', 'meaning']),
    line(['---', hasUsers ? '---' : undefined, '---', '---']),
    ...rows.map(({ name, usedBy, byDefault, meaning }) => line([`\`${name}\``, usedBy, byDefault, meaning])),
  ].join('')
}

/** The variables that the code reads from `process.env` and that the page does not list. */
function undocumented(): string[] {
  const lines = execFileSync(
    'git',
    ['grep', '--untracked', '-ohE', 'process\\.env\\.[A-Z][A-Z_]*', '--', '*.ts'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
  const names = new Set(
    lines
      .trim()
      .split('\n')
      .map((line) => line.replace('process.env.', '')),
  )
  return [...names]
    .filter((name) => !NOT_OURS.includes(name) && !text.includes(`| \`${name}\` |`))
    .map((name) => `The code reads ${name}, which is missing from tools/configuration.ts.`)
}

function committed(): string {
  try {
    return readFileSync(`${ROOT}${FILE}`, 'utf8')
  } catch {
    return ''
  }
}
