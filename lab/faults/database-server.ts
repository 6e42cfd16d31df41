import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { runSql } from '@souk/e2e/support/database'
import type { Engine } from '@souk/service-kit/database/database'

/** A database server that tests may kill. It writes every commit to disk before it responds. */
export interface DatabaseServer {
  url: string
  /** Ends the server without a regular shutdown. */
  kill(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>
  /** Starts the server again; resolves when it has recovered. */
  start(): Promise<void>
  /** Ends the server and removes its data. */
  remove(): Promise<void>
}

type ServerEngine = Exclude<Engine, 'sqlite'>

/** How to create and start the server of an engine. */
interface Recipe {
  /** The account that runs the server if this process is root, because PostgreSQL does not run as root. */
  account: string
  serverPath: () => string | undefined
  /** The command that creates the data files in a folder. */
  create: (serverPath: string, folder: string) => [command: string, ...args: string[]]
  /** The arguments of the server. */
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
    serve: (folder, port) => ['-D', join(folder, 'data'), '-p', `${port}`, '-h', '127.0.0.1', '-k', folder],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  },
  mysql: {
    account: 'mysql',
    serverPath: () => ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find((path) => existsSync(path)),
    create: (_serverPath, folder) => [
      'mariadb-install-db',
      ...['--no-defaults', `--datadir=${join(folder, 'data')}`],
      ...['--auth-root-authentication-method=normal', '--skip-test-db'],
    ],
    serve: (folder, port) => [
      ...['--no-defaults', `--datadir=${join(folder, 'data')}`, `--socket=${join(folder, 'socket')}`],
      ...[`--pid-file=${join(folder, 'pid')}`, `--port=${port}`, '--bind-address=127.0.0.1'],
      '--innodb-flush-log-at-trx-commit=1',
    ],
    url: (port) => `mysql://root@127.0.0.1:${port}/`,
  },
}

/** Returns SQLite, which is part of Node, and the engines whose server is installed. */
export const installedEngines = (): Engine[] => [
  'sqlite',
  ...(['postgres', 'mysql'] as const).filter((engine) => RECIPES[engine].serverPath() !== undefined),
]

const READY_WITHIN_MS = 60_000

/** Creates and starts a server of `engine` in a temporary folder. `options` are further arguments of the server. */
export async function startDatabaseServer(
  engine: ServerEngine,
  options: readonly string[] = [],
): Promise<DatabaseServer> {
  const recipe = RECIPES[engine]
  const serverPath = recipe.serverPath()
  if (!serverPath) throw new Error(`${engine} is not installed`)
  const owner = idsOf(recipe.account)
  const folder = mkdtempSync(join(tmpdir(), `souk-${engine}-`))
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const [command, ...args] = recipe.create(serverPath, folder)
  // A folder of its own for temporary files, because MariaDB deletes all temporary tables in that folder when it starts,
  // also those of other servers.
  const processOptions = { ...owner, cwd: folder, env: { ...process.env, TMPDIR: folder } }
  const created = spawnSync(command, args, { ...processOptions, encoding: 'utf8' })
  if (created.status !== 0) throw created.error ?? new Error(`${command}: ${created.stderr}`)
  const [port] = (await freePorts(1)) as [number]
  const url = recipe.url(port)

  let child: ChildProcess | undefined
  const kill = async (signal: NodeJS.Signals) => {
    if (!child) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    child = undefined
  }
  const serverArguments = [...recipe.serve(folder, port), ...options]
  const start = async () => {
    const deadline = performance.now() + READY_WITHIN_MS
    while (performance.now() < deadline) {
      const server = spawn(serverPath, serverArguments, { ...processOptions, stdio: 'ignore' })
      child = server
      while (server.exitCode === null && performance.now() < deadline) {
        if (await responds(url)) return
        await sleep(25)
      }
      // A server does not start while processes of the killed server still run, so try again later.
      await sleep(100)
    }
    throw new Error(`${engine} was not ready within ${READY_WITHIN_MS / 1_000} s`)
  }
  const onExit = () => child?.kill('SIGKILL')
  process.once('exit', onExit)
  await start()
  const remove = async () => {
    await kill(engine === 'postgres' ? 'SIGQUIT' : 'SIGKILL')
    process.off('exit', onExit)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return { url, kill, start, remove }
}

/** Returns the ids of an account, or undefined if this process is not root and so cannot use another account. */
export function idsOf(account: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, account], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const responds = (url: string): Promise<boolean> =>
  runSql(url, 'select 1').then(
    () => true,
    () => false,
  )
