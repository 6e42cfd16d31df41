import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Service } from '@souk/dev-env/launcher/system'
import { waitUntil } from '@souk/e2e/support/wait'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Long enough for a container that creates its database first. */
const HEALTHY_WITHIN_MS = 120_000

/** The containers of a compose project of its own, so that the data of a developer's `docker compose up` stays. */
export interface Containers {
  compose(...args: string[]): string
  /** Returns the ids of a service's containers. */
  of(service: string): string[]
  /** Runs a command in a service's first container; returns its exit code and its output. */
  inside(service: string, ...command: string[]): { code: number; text: string }
  /** Sends SIGKILL. @throws Error when the container did not end because of it */
  kill(id: string): void
  start(id: string): Promise<void>
  databaseUrls(): Record<Service, string>
}

export type ContainersEngine = 'postgres' | 'mariadb'

export function containers(engine: ContainersEngine): Containers {
  const port = engine === 'postgres' ? '5432' : '3306'
  const files = [
    'docker-compose.yaml',
    ...(engine === 'mariadb' ? ['docker-compose.mariadb.yaml'] : []),
    'lab/containers/compose.yaml',
  ].flatMap((file) => ['--file', file])
  const docker = (...args: string[]) =>
    execFileSync('docker', args, {
      cwd: ROOT,
      env: { ...process.env, DATABASE_PORT: port },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    })
  const compose = (...args: string[]) => docker('compose', '--project-name', 'souk-e2e', ...files, ...args)
  const inside = (service: string, ...command: string[]) => {
    try {
      return { code: 0, text: compose('exec', '--no-TTY', service, ...command) }
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { code: status, text: `${stdout}${stderr}` }
    }
  }
  return {
    compose,
    inside,
    of: (service) => compose('ps', '--quiet', service).split('\n').filter(Boolean),
    kill: (id) => {
      docker('kill', id)
      const state = docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', id).trim()
      if (state !== 'exited 137') throw new Error(`${id} was not killed, it is ${state}`)
    },
    start: async (id) => {
      docker('start', id)
      const isHealthy = () =>
        docker('inspect', '--format', '{{.State.Health.Status}}', id).trim() === 'healthy'
      await waitUntil(isHealthy, HEALTHY_WITHIN_MS, `${id} is not healthy`)
    },
    databaseUrls: () => {
      const published = Number(compose('port', 'database', port).trim().split(':').at(-1))
      const urlOf = (service: Service) => {
        const url = new URL(inside(service, 'cat', '/run/secrets/database-url').text)
        url.hostname = '127.0.0.1'
        url.port = String(published)
        return url.href
      }
      return { users: urlOf('users'), products: urlOf('products'), orders: urlOf('orders') }
    },
  }
}
