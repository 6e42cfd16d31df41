/**
 * `npm run pack -w @souk/client`: builds the package for other projects in `dist/`. `npm pack ./packages/client/dist` then
 * gives a file that a project can install, and `npm publish` would publish it. This repository itself uses the sources.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const DIST = join(FOLDER, 'dist')

// Without this, files of an earlier build could remain.
rmSync(DIST, { recursive: true, force: true })
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '--project', join(FOLDER, 'tsconfig.build.json')], { stdio: 'inherit' })
const {
  devDependencies: _,
  scripts: __,
  ...manifest
} = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'))
manifest.exports = { '.': { types: './index.d.ts', default: './index.js' } }
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
copyFileSync(join(FOLDER, 'README.md'), join(DIST, 'README.md'))
copyFileSync(join(FOLDER, '../../LICENSE'), join(DIST, 'LICENSE'))
