/**
 * Writes docs/configuration.md: every environment variable that a service, the gateway, `npm start` or a test reads.
 * Part of `npm run contracts`. `--check` writes nothing and fails if the file is out of date or lacks a variable.
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

/** The parts of a setting's schema that the page shows. */
interface Setting {
  default?: unknown
  description?: string
  publicDefault?: string
}

interface Row {
  name: string
  usedBy?: string | undefined
  byDefault: string
  meaning: string
}

/** The settings of each process. */
type Schemas = Record<string, { properties: Record<string, object> }>

/** The variables that no settings schema contains. */
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
        '`<name>:<count>` kills the service when it reaches the named point for the count-th time. For example, `after-T1:40` kills the orders service after its 40th new order is stored (T1 is the transaction that stores a new order). Rejected in production',
    },
  ],
  tests: [
    {
      name: 'TEST_ENGINES',
      byDefault: 'all reachable engines',
      meaning:
        'the database engines that the tests use, separated by commas, such as `sqlite,postgres,mysql`',
    },
    {
      name: 'TEST_POSTGRES_URL',
      byDefault: '`postgres://postgres:admin@127.0.0.1:5432/postgres`',
      meaning: 'the PostgreSQL server for tests, with a user who can create databases',
    },
    {
      name: 'TEST_POSTGRES_POOLER_PORT',
      byDefault: '',
      meaning:
        'the port of a PgBouncer in front of this server; the tests then use their databases through it',
    },
    {
      name: 'TEST_MYSQL_URL',
      byDefault: '`mysql://root@127.0.0.1:3306/`',
      meaning: 'the MySQL or MariaDB server for tests, with a user who can create databases',
    },
    {
      name: 'REQUIRE_ENGINES',
      byDefault: '',
      meaning:
        'the engines that must be reachable, separated by commas: `npm test` fails if one is not, and skips the tests of others',
    },
    {
      name: 'REQUIRE_NGINX',
      byDefault: '',
      meaning: 'if set, tests that need nginx fail, instead of being skipped, when nginx is missing',
    },
    {
      name: 'REQUIRE_BROWSER',
      byDefault: '',
      meaning: 'if set, tests that need chromium fail, instead of being skipped, when chromium is missing',
    },
    {
      name: 'REQUIRE_PROMETHEUS',
      byDefault: '',
      meaning:
        'if set, tests that need Prometheus fail, instead of being skipped, when Prometheus is missing',
    },
    {
      name: 'REQUIRE_PGBOUNCER',
      byDefault: '',
      meaning:
        'if set, tests that need PgBouncer fail, instead of being skipped, when it is missing or older than 1.21',
    },
    {
      name: 'REQUIRE_KUBECTL',
      byDefault: '',
      meaning:
        'if set, tests that need kubectl fail, instead of being skipped, when kubectl is missing or too old',
    },
    {
      name: 'FUZZ_SECONDS',
      byDefault: '`15`',
      meaning:
        'how long random requests are sent to each way of running the system, at most 600, because the tokens expire',
    },
    {
      name: 'FUZZ_SEED',
      byDefault: 'a random number',
      meaning: 'makes the same random requests as the run that printed this number',
    },
    { name: 'CHROMIUM', byDefault: 'the usual paths', meaning: 'the path of chromium' },
    {
      name: 'SEED',
      byDefault: 'random',
      meaning: 'the seed of the random choices of the recovery test; the same seed gives the same choices',
    },
    {
      name: 'RUNNING_SYSTEM',
      byDefault: '',
      meaning: 'a running system to test, as JSON; `npm run test:containers` sets it',
    },
  ],
}

/** Variables of the operating system, which the page does not list. */
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

At start, each process reads its settings from environment variables. If some settings are invalid, the process prints
their names and exits. An empty variable counts as unset.

## Services

A service that is started alone, for example with \`npm start -w users\`, also reads the file \`.env\` in its folder; an
environment variable overrides the same variable in the file. For every variable, \`<NAME>_FILE\` can name a file that
contains the value. The service \`gateway\` is the embedded gateway of \`npm start\`.

${table([...settingRows(schemas), ...OTHERS.services.map((row) => ({ ...row, usedBy: 'users, products, orders' }))])}
## npm start and npm run demo

${table([...settingRows({ start: startSettings }).map((row) => ({ ...row, usedBy: undefined })), ...OTHERS.demo])}
## The gateway in containers (nginx)

${table(nginxRows())}
## Tests and checks

${table(OTHERS.tests)}`
}

/** Returns one row for each variable. A variable with different meanings in two services has two rows. */
function settingRows(schemas: Schemas): Row[] {
  const settings = Object.entries(schemas).flatMap(([process, { properties }]) =>
    Object.entries(properties).map(([name, setting]) => ({ process, name, setting: setting as Setting })),
  )
  const groups = Map.groupBy(settings, ({ name, setting }) => `${name} ${setting.description ?? ''}`)
  return [...groups.values()].map((group) => ({
    name: group[0]!.name,
    usedBy: group.map(({ process }) => process).join(', '),
    byDefault: [...new Set(group.map(({ setting }) => defaultOf(setting)))].join(', '),
    // Without the backslash, Markdown hides a placeholder such as <file>.
    meaning: (group[0]!.setting.description ?? '').replaceAll('<', '\\<'),
  }))
}

function nginxRows(): Row[] {
  return nginxSettings().map(({ name, byDefault, meaning }) => ({
    name,
    byDefault: code(byDefault),
    // The comments in nginx/Dockerfile start with a capital letter; the meanings in the page start with a small one.
    meaning: meaning.charAt(0).toLowerCase() + meaning.slice(1),
  }))
}

function defaultOf(setting: Setting): string {
  if (setting.default !== undefined && setting.default === setting.publicDefault)
    return 'a secret for development, published in the code and rejected in production'
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

/** Returns a complaint for each variable that the code reads from `process.env` and that the page does not list. */
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
