import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Copies the repository from `root` to the folder `copy`, without the files that git ignores. In the copy, third-party
 * packages are links to the packages in `root`, and our own workspaces are links to folders of the copy. A workspace may
 * have packages of its own, such as another version of a compiler.
 */
export function copyRepository(root: string, copy: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const file of listed.split('\0').filter(Boolean)) {
    const from = join(root, file)
    if (!lstatSync(from, { throwIfNoEntry: false })) continue
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(from, join(copy, file))
    const packages = join(dirname(file), 'node_modules')
    if (basename(file) === 'package.json' && dirname(file) !== '.' && existsSync(join(root, packages)))
      symlinkSync(join(root, packages), join(copy, packages))
  }
  linkPackages(join(root, 'node_modules'), join(copy, 'node_modules'))
}

/**
 * Links the packages of the folder `from` into the folder `to`. A workspace is a link relative to `node_modules`, so
 * the same link in the copy leads to a folder of the copy.
 */
function linkPackages(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [original, link] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(original), link)
    else if (entry.name === '@souk') linkPackages(original, link)
    else symlinkSync(original, link)
  }
}
