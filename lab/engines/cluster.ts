import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idsOf } from '../faults/database-server.ts'

/** A cluster of database servers behind a load balancer. */
export interface Cluster {
  engine: 'postgres' | 'mysql'
  /** The URL of each node, which bypasses the load balancer. */
  nodes: string[]
  faults: Fault[]
  /** Ends every fault; resolves when all nodes are members of the cluster again. */
  heal(): Promise<void>
  remove(): void
}

export interface Fault {
  name: string
  /** The URL at which the services reach the cluster. */
  url: string
  /** Starts the fault, and returns the name of the node. */
  inject(): Promise<string>
}

export const NODES = [1, 2, 3] as const

/** Programs and files of a cluster, which all end with this process. */
export class Workspace {
  readonly folder: string
  readonly #account: { uid: number; gid: number } | undefined
  readonly #running = new Set<ChildProcess>()

  /** `account` runs the database servers if this process is root, because the servers do not run as root. */
  constructor(name: string, account: string) {
    this.#account = idsOf(account)
    this.folder = mkdtempSync(join(tmpdir(), `souk-${name}-`))
    this.#giveToAccount(this.folder)
    process.once('exit', this.#endAll)
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode })
    this.#giveToAccount(path)
    return path
  }

  /** Creates a folder to which the database servers can write. */
  createFolder(name: string): void {
    const path = join(this.folder, name)
    mkdirSync(path)
    this.#giveToAccount(path)
  }

  #giveToAccount(path: string): void {
    if (this.#account) chownSync(path, this.#account.uid, this.#account.gid)
  }

  /** Starts a program. It writes its output to the file `<name>.log`. */
  start(name: string, command: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, `${name}.log`), 'a')
    const child = spawn(command, args, { ...this.options(), stdio: ['ignore', log, log] })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  options() {
    return {
      ...this.#account,
      cwd: this.folder,
      env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: this.folder, TMPDIR: this.folder },
    }
  }

  remove(): void {
    process.off('exit', this.#endAll)
    this.#endAll()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Patroni's PostgreSQL servers are no children of Patroni, so that they outlive it. Their files have their pids. */
  readonly #endAll = (): void => {
    const postmasters = globSync(join(this.folder, 'data*')).flatMap(postmasterOf)
    for (const pid of [...this.#running].map(({ pid }) => pid!).concat(postmasters))
      for (const one of withChildren(pid)) signal(one, 'SIGKILL')
  }
}

/** Returns the process id of the PostgreSQL server that uses this data folder, or nothing if no server uses it. */
export const postmasterOf = (folder: string): number[] =>
  globSync(join(folder, 'postmaster.pid')).map((file) => Number(readFileSync(file, 'utf8').split('\n')[0]))

/** Sends SIGKILL and waits for the end. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Returns a process and all processes that it has started, the parents first. Linux only. */
export function withChildren(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
    return [pid, ...children.flatMap(withChildren)]
  } catch {
    // The process has ended.
    return []
  }
}

/** Sends a signal to a process, which may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The beginning of HAProxy's configuration. It finds a lost node within two seconds. */
export const HAPROXY_DEFAULTS = `
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout check 2s
  default-server inter 1s fall 2 rise 1
`
