import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const WEB = join(ROOT, 'web')
/** What the built pages depend on. */
const SOURCES = [
  'web/{index.html,package.json,vite.config.ts}',
  'web/src/**',
  'packages/client/src/**',
  'package-lock.json',
]

/**
 * Builds the pages of the storefront and the seller console, unless they are built already, and returns their folder.
 * Each state of the sources has a folder of its own, so a running system never serves files of different states, and
 * several processes can build at the same time.
 *
 * @throws Error with the output of Vite if the sources are invalid
 */
export async function buildPages(): Promise<string> {
  const built = join(WEB, 'dist', hashOfSources())
  if (existsSync(built)) return built
  mkdirSync(dirname(built), { recursive: true })
  const temporary = mkdtempSync(join(dirname(built), '.build-'))
  // nginx may run as another user.
  chmodSync(temporary, 0o755)
  try {
    await runVite(temporary)
    renameSync(temporary, built)
  } catch (error) {
    // Another process may have built the same pages meanwhile.
    if (!existsSync(built)) throw error
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return built
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort()
  for (const file of files) {
    const path = join(ROOT, file)
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex').slice(0, 16)
}

/** Runs Vite in a process of its own, so that its memory is free again afterwards. */
async function runVite(folder: string): Promise<void> {
  const vite = createRequire(join(WEB, 'package.json')).resolve('vite/package.json')
  const args = [
    join(vite, '../bin/vite.js'),
    'build',
    '--outDir',
    folder,
    '--emptyOutDir',
    '--logLevel',
    'error',
  ]
  await promisify(execFile)(process.execPath, args, { cwd: WEB })
}
