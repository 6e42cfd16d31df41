import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ProcessSpec {
  name: string
  /** The TypeScript or JavaScript file that Node runs, and the folder it runs in. */
  script: string
  folder: string
  /** All that the process sees of the environment, but for what Node itself needs. */
  env: Record<string, string>
  /** Answers 200 when the process can do its work. */
  readyUrl: string
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** One process from its start to its end. */
export interface Life {
  pid: number | undefined
  /** The last lines that it wrote. */
  lines: string[]
  send(signal: NodeJS.Signals): void
  /** Resolves when it is gone and all that it wrote has been read. */
  ended: Promise<Exit>
  /** Set once it is gone. */
  exit: Exit | undefined
}

/** What a process may inherit: where programs are, and how its Node is run and measured. */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NODE_EXTRA_CA_CERTS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
]
/** A start is mostly Node's reading and compiling of the code; kept, it takes half the time and less memory. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/node', import.meta.url))
const LINES_KEPT = 20
const DIE_WITH_PARENT = fileURLToPath(new URL('die-with-parent.ts', import.meta.url))

/** Starts a process; `onLine` gets every line that it writes. */
export function launch({ script, folder, env }: ProcessSpec, onLine: (line: string) => void): Life {
  const child = spawn(process.execPath, ['--import', DIE_WITH_PARENT, script], {
    cwd: folder,
    env: { NODE_COMPILE_CACHE, ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we end them in their order.
    detached: true,
  })
  const note = (line: string) => {
    life.lines.push(line)
    if (life.lines.length > LINES_KEPT) life.lines.shift()
    onLine(line)
  }
  for (const input of [child.stdout!, child.stderr!]) createInterface({ input }).on('line', note)
  child.on('error', (error) => note(error.message))
  const life: Life = {
    pid: child.pid,
    lines: [],
    // Killed, it can't end what it started itself, nginx say: so the whole group is.
    send: (signal) => void (signal === 'SIGKILL' ? killGroup(child.pid) : child.kill(signal)),
    ended: new Promise((resolve) =>
      child.on('close', (code, signal) => {
        life.exit = { code, signal }
        resolve(life.exit)
      }),
    ),
    exit: undefined,
  }
  return life
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader) process.kill(-leader, 'SIGKILL')
  } catch (error) {
    // There is nobody left in it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const inherited = () =>
  Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
