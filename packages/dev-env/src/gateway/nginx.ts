import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** Debian installs nginx in a folder that only root's PATH contains. */
const NGINX_ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/**
 * Whether nginx is installed.
 *
 * @throws Error when it is not and REQUIRE_NGINX is set
 */
export function nginxIsInstalled(): boolean {
  const installed = spawnSync('nginx', ['-v'], { env: NGINX_ENV }).status === 0
  if (!installed && process.env.REQUIRE_NGINX)
    throw new Error('REQUIRE_NGINX is set, but nginx is not installed.')
  return installed
}

/** Runs nginx with a configuration file, in the foreground. It writes to the output of this process. */
export function spawnNginx(configFile: string): ChildProcess {
  // As root, nginx runs its workers as another user by default, who cannot read a folder that root created.
  const asRoot = process.getuid?.() === 0 ? ' user root;' : ''
  return spawn('nginx', ['-e', 'stderr', '-c', configFile, '-g', `daemon off;${asRoot}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: NGINX_ENV,
  })
}
