import { spawnSync } from 'node:child_process'

/** Debian keeps it where only root's PATH leads. */
export const NGINX_ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

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
