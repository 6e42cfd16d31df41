import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProcessSpec } from '../../../src/launcher/managed-process.ts'

const SCRIPT = fileURLToPath(new URL('fake-service.ts', import.meta.url))

/** Returns the spec of a process that imitates a service. fake-service.ts lists the variables that `env` can set. */
export const fakeService = (name: string, port: number, env: Record<string, string> = {}): ProcessSpec => ({
  name,
  script: SCRIPT,
  folder: dirname(SCRIPT),
  env: { NAME: name, PORT: `${port}`, ...env },
  readyUrl: `http://127.0.0.1:${port}/`,
})
