import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProcessSpec } from '../../src/launcher/process-life.ts'

const SCRIPT = fileURLToPath(new URL('stand-in.ts', import.meta.url))

/** A process that behaves as `env` says; see stand-in.ts. */
export const standIn = (name: string, port: number, env: Record<string, string> = {}): ProcessSpec => ({
  name,
  script: SCRIPT,
  folder: dirname(SCRIPT),
  env: { NAME: name, PORT: `${port}`, ...env },
  readyUrl: `http://127.0.0.1:${port}/`,
})
