import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Service } from '@souk/dev-env/launcher/system'
import { waitUntil } from '@souk/e2e/support/wait'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** How long a container may take to become healthy after its start. */
const HEALTHY_WITHIN_MS = 120_000

/** Controls containers in a separate compose project. A developer's own containers and their data do not change. */
export interface Containers {
  compose(...args: string[]): string
  /** Returns the ids of a service's containers. */
  idsOf(service: string): string[]
  /** Runs a command in a service's first container. */
  exec(service: string, ...command: string[]): { exitCode: number; output: string }
  /** Sends SIGKILL to a container. @throws Error if the signal did not end the container */
  kill(id: string): void
  /** Starts a container again; resolves when it is healthy. */
  start(id: string): Promise<void>
  databaseUrls(): Record<Service, string>
}

const ENGINES = {
  postgres: { port: '5432', overlays: [] },
  mariadb: { port: '3306', overlays: ['docker-compose.mariadb.yaml'] },
}

export function containersOn(engine: keyof typeof ENGINES): Containers {
  const { port, overlays } = ENGINES[engine]
  const files = ['docker-compose.yaml', ...overlays, 'lab/containers/compose.yaml']
  const project = ['--project-name', 'souk-e2e', ...files.flatMap((file) => ['--file', file])]
  const docker = (...args: string[]) =>
    execFileSync('docker', args, {
      cwd: ROOT,
      env: { ...process.env, DATABASE_PORT: port },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    })
  const compose = (...args: string[]) => docker('compose', ...project, ...args)
  const inspect = (id: string, format: string) => docker('inspect', '--format', format, id).trim()
  const exec = (service: string, ...command: string[]) => {
    try {
      return { exitCode: 0, output: compose('exec', '--no-TTY', service, ...command) }
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { exitCode: status, output: `${stdout}${stderr}` }
    }
  }
  return {
    compose,
    exec,
    idsOf: (service) => compose('ps', '--quiet', service).split('\n').filter(Boolean),
    kill: (id) => {
      docker('kill', id)
      const state = inspect(id, '{{.State.Status}} {{.State.ExitCode}}')
      if (state !== 'exited 137') throw new Error(`${id} was not killed, its state is ${state}`)
    },
    start: async (id) => {
      docker('start', id)
      const isHealthy = () => inspect(id, '{{.State.Health.Status}}') === 'healthy'
      await waitUntil(isHealthy, HEALTHY_WITHIN_MS, `${id} is not healthy`)
    },
    databaseUrls: () => {
      const published = compose('port', 'database', port).trim().split(':').at(-1)!
      const urlOf = (service: Service) => {
        const url = new URL(exec(service, 'cat', '/run/secrets/database-url').output)
        url.host = `127.0.0.1:${published}`
        return url.href
      }
      return { users: urlOf('users'), products: urlOf('products'), orders: urlOf('orders') }
    },
  }
}
