import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a file with this content unless the file exists. Only the owner can read the file, even if others could read
 * it before. Missing folders are created for the owner only. An existing folder does not change, because it may be
 * shared, as `/tmp` is.
 */
export function createPrivateFile(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    // `wx` never opens an existing file. To close a SQLite file would release the locks of this process on the file.
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  chmodSync(file, 0o600)
}
