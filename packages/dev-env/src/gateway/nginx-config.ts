import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder `nginx/` of the repository. */
export const NGINX = fileURLToPath(new URL('../../../../nginx/', import.meta.url))

export interface NginxSetting {
  name: string
  byDefault: string
  meaning: string
}

/** Returns the settings in nginx/Dockerfile: each `ENV SOUK_...` with the comment above it. */
export function nginxSettings(): NginxSetting[] {
  const dockerfile = readFileSync(join(NGINX, 'Dockerfile'), 'utf8')
  return [...dockerfile.matchAll(/^# (.+)\nENV (SOUK_\w+)=(.*)$/gm)].map(([, meaning, name, byDefault]) => ({
    name: name!,
    byDefault: byDefault!,
    meaning: meaning!,
  }))
}

/**
 * Renders every template of nginx/templates into `folder`, as the entrypoint of the nginx image does.
 *
 * @returns the path of the main configuration file
 * @throws Error when a template uses a variable that has no value
 */
export function renderNginxConfig(folder: string, values: Record<string, string | undefined>): string {
  const templates = join(NGINX, 'templates')
  for (const file of globSync('*.template', { cwd: templates })) {
    const text = readFileSync(join(templates, file), 'utf8')
    const rendered = text.replaceAll(/\$\{(SOUK_\w+)\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`${file} uses ${name}, which has no value`)
      return value
    })
    writeFileSync(join(folder, file.replace(/\.template$/, '')), rendered)
  }
  return join(folder, 'nginx.conf')
}
