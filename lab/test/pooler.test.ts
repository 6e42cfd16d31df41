import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntil } from '@souk/e2e/support/wait'
import { availableEngines, createTestDatabase, type TestDatabase } from '@souk/service-kit/testing/engines'

const run = promisify(execFile)
const PGBOUNCER = '/usr/sbin/pgbouncer'
const SERVICE = new URL('../../users/', import.meta.url)
/** As root, PgBouncer changes to an account without rights. */
const ACCOUNT = process.getuid?.() === 0 ? ['-u', 'nobody'] : []

const skip =
  (!existsSync(PGBOUNCER) && 'PgBouncer is not installed') ||
  (!(await availableEngines()).includes('postgres') && 'PostgreSQL is not reachable')

describe('a service behind PgBouncer', { skip }, () => {
  let database: TestDatabase
  let folder: string
  const poolers: ChildProcess[] = []
  before(async () => {
    database = await createTestDatabase('postgres')
    folder = mkdtempSync(join(tmpdir(), 'souk-pooler-'))
    chmodSync(folder, 0o755)
  })
  after(async () => {
    const ended = poolers.map((pooler) => once(pooler, 'exit'))
    for (const pooler of poolers) pooler.kill()
    await Promise.all(ended)
    rmSync(folder, { recursive: true })
    await database.drop()
  })

  /** Starts PgBouncer in transaction mode in front of the test database. Returns the URL that leads through it. */
  const startPooler = async (setting = ''): Promise<string> => {
    const [port] = (await freePorts(1)) as [number]
    const { hostname, port: server, username, password } = new URL(database.url)
    const config = join(folder, `${port}.ini`)
    const target = `* = host=${hostname} port=${server || 5432} user=${username} password=${password}`
    const settings = `listen_addr=127.0.0.1\nlisten_port=${port}\nauth_type=any\nunix_socket_dir=\n${setting}`
    writeFileSync(config, `[databases]\n${target}\n[pgbouncer]\npool_mode=transaction\n${settings}\n`)
    poolers.push(spawn(PGBOUNCER, ['-q', ...ACCOUNT, config], { stdio: 'ignore' }))
    await waitUntil(() => accepts(port), 20_000, 'PgBouncer does not accept connections')
    const url = new URL(database.url)
    url.port = `${port}`
    return url.href
  }

  const message = /^DATABASE_URL leads to a connection pooler such as PgBouncer, .*\n$/
  const start = (url: string) =>
    run(process.execPath, ['src/migrate.ts'], {
      cwd: SERVICE,
      env: { ...process.env, DATABASE_URL: url },
      timeout: 60_000,
    })

  it('does not start, and says why in one line', async () => {
    await assert.rejects(start(await startPooler()), { code: 1, stderr: message })
  })

  it('does not start if PgBouncer ignores our session settings', async () => {
    const url = await startPooler('ignore_startup_parameters=options,statement_timeout')
    await assert.rejects(start(url), { code: 1, stderr: message })
  })
})

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy())
}
