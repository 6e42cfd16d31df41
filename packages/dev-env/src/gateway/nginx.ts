import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** Debian installs nginx in /usr/sbin, which only root's PATH contains. */
const NGINX_ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/** Returns whether nginx is installed. @throws Error if nginx is not installed and `REQUIRE_NGINX` is set */
export function nginxIsInstalled(): boolean {
  const installed = spawnSync('nginx', ['-v'], { env: NGINX_ENV }).status === 0
  if (!installed && process.env.REQUIRE_NGINX)
    throw new Error('REQUIRE_NGINX is set, but nginx is not installed.')
  return installed
}

/** Runs nginx in the foreground with a configuration file. nginx writes to the standard output of this process. */
export function spawnNginx(configFile: string): ChildProcess {
  // If root starts nginx, the workers of nginx run as another user by default. That user cannot read the configuration
  // folder, which belongs to root. So the workers run as root too.
  const asRoot = process.getuid?.() === 0 ? ' user root;' : ''
  return spawn('nginx', ['-e', 'stderr', '-c', configFile, '-g', `daemon off;${asRoot}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: NGINX_ENV,
  })
}
