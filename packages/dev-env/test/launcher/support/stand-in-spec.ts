import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProcessSpec } from '../../../src/launcher/managed-process.ts'

const SCRIPT = fileURLToPath(new URL('stand-in.ts', import.meta.url))

/** A process in the place of a service; stand-in.ts lists what `env` can set. */
export const standIn = (name: string, port: number, env: Record<string, string> = {}): ProcessSpec => ({
  name,
  script: SCRIPT,
  folder: dirname(SCRIPT),
  env: { NAME: name, PORT: `${port}`, ...env },
  readyUrl: `http://127.0.0.1:${port}/`,
})
