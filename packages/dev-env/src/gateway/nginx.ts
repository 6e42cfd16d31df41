import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** Debian keeps it where only root's PATH leads. */
const NGINX_ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/**
 * Whether nginx can be run here.
 *
 * @throws Error when it cannot and REQUIRE_NGINX is set
 */
export function nginxIsInstalled(): boolean {
  const installed = spawnSync('nginx', ['-v'], { env: NGINX_ENV }).status === 0
  if (!installed && process.env.REQUIRE_NGINX)
    throw new Error('REQUIRE_NGINX is set, and nginx is not installed.')
  return installed
}

/** Runs nginx by a configuration file, in the foreground; it writes to where this process does. */
export function spawnNginx(configFile: string): ChildProcess {
  // Its workers would be nobody's otherwise, and could not reach a folder that root made.
  const asRoot = process.getuid?.() === 0 ? ' user root;' : ''
  return spawn('nginx', ['-e', 'stderr', '-c', configFile, '-g', `daemon off;${asRoot}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: NGINX_ENV,
  })
}
