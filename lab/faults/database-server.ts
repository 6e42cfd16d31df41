import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { type Engine, openDatabase } from '@souk/service-kit/database/database'

/** A database server of its own, which may be killed. It writes every commit to disk before it responds. */
export interface DatabaseServer {
  url: string
  /** Ends it without a regular shutdown. */
  kill(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>
  /** Starts it again; resolves when it has recovered. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  remove(): Promise<void>
}

type ServerEngine = Exclude<Engine, 'sqlite'>

interface Recipe {
  /** The account that runs the server when this process is root, because PostgreSQL does not run as root. */
  account: string
  serverPath: () => string | undefined
  create: (serverPath: string, folder: string) => [command: string, ...args: string[]]
  serve: (folder: string, port: number) => string[]
  url: (port: number) => string
}

const RECIPES: Record<ServerEngine, Recipe> = {
  postgres: {
    account: 'postgres',
    serverPath: () => globSync('/usr/lib/postgresql/*/bin/postgres').at(-1),
    create: (serverPath, folder) => [
      join(serverPath, '../initdb'),
      ...['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'],
    ],
    serve: (folder, port) => [
      ...['-D', join(folder, 'data'), '-p', `${port}`, '-h', '127.0.0.1', '-k', folder],
    ],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  },
  mysql: {
    account: 'mysql',
    serverPath: () => ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find((path) => existsSync(path)),
    create: (_serverPath, folder) => [
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    serve: (folder, port) => [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--innodb-flush-log-at-trx-commit=1',
    ],
    url: (port) => `mysql://root@127.0.0.1:${port}/`,
  },
}

/** The engines that are installed; SQLite always is. */
export const runnableEngines = (): Engine[] => [
  'sqlite',
  ...(['postgres', 'mysql'] as const).filter((engine) => RECIPES[engine].serverPath() !== undefined),
]

const READY_WITHIN_MS = 30_000

/** Creates and starts a server of `engine` in a temporary folder. */
export async function startDatabaseServer(engine: ServerEngine): Promise<DatabaseServer> {
  const recipe = RECIPES[engine]
  const serverPath = recipe.serverPath()
  if (!serverPath) throw new Error(`${engine} is not installed here`)
  const owner = ownerOf(recipe)
  const folder = mkdtempSync(join(tmpdir(), `souk-${engine}-`))
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const [command, ...args] = recipe.create(serverPath, folder)
  const created = spawnSync(command, args, { ...owner, cwd: folder, encoding: 'utf8' })
  if (created.status !== 0) throw created.error ?? new Error(`${command}: ${created.stderr}`)
  const [port] = (await freePorts(1)) as [number]
  const url = recipe.url(port)

  let child: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals) => {
    if (!child) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
    child = undefined
  }
  const start = async () => {
    const deadline = performance.now() + READY_WITHIN_MS
    while (performance.now() < deadline) {
      const started = spawn(serverPath, recipe.serve(folder, port), {
        ...owner,
        cwd: folder,
        stdio: 'ignore',
      })
      child = started
      while (started.exitCode === null && performance.now() < deadline) {
        if (await responds(url)) return
        await sleep(25)
      }
      // The server does not start while processes of the killed one still run.
      await sleep(100)
    }
    throw new Error(`${engine} was not ready within ${READY_WITHIN_MS / 1_000} s`)
  }
  const onExit = () => child?.kill('SIGKILL')
  process.once('exit', onExit)
  await start()
  return {
    url,
    kill: end,
    start,
    remove: async () => {
      await end(engine === 'postgres' ? 'SIGQUIT' : 'SIGKILL')
      process.off('exit', onExit)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The account to run the server as; undefined for this process's own. */
function ownerOf({ account }: Recipe): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, account], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function responds(url: string): Promise<boolean> {
  const database = openDatabase(url, { poolSize: 1 })
  return await database
    .ping()
    .then(
      () => true,
      () => false,
    )
    .finally(() => database.close())
}
