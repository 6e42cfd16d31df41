/**
 * Runs before and after `npm pack` and `npm publish`. The package contains JavaScript and declarations in dist/, because
 * Node runs no TypeScript in node_modules. The repository imports src/ and needs no build. npm has no setting for a
 * different entry point in the package, so package.json has that entry point while npm packs.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const inPackage = (path: string) => fileURLToPath(new URL(path, import.meta.url))

function setEntryPoint(exports: string): void {
  const file = inPackage('package.json')
  const description = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, `${JSON.stringify({ ...description, exports }, undefined, 2)}\n`)
}

if (process.env.npm_lifecycle_event === 'prepack') {
  const compiler = inPackage('../../node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, '--project', inPackage('tsconfig.package.json')], {
    stdio: 'inherit',
  })
  setEntryPoint('./dist/index.js')
} else {
  setEntryPoint('./src/index.ts')
  rmSync(inPackage('dist'), { recursive: true })
}
