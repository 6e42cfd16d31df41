import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CLIENT = fileURLToPath(new URL('..', import.meta.url))
const ROOT = join(CLIENT, '../..')

describe('the package @souk/client', () => {
  let project: string
  before(async () => {
    project = mkdtempSync(join(tmpdir(), 'souk-client-'))
    await run(process.execPath, ['pack.ts'], { cwd: CLIENT })
    await run('npm', ['pack', join(CLIENT, 'dist'), '--pack-destination', project])
    const [file] = readdirSync(project)
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
    const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
    await run('npm', ['install', `./${file}`, ...options], { cwd: project })
    const [, example] = /```ts\n(.*?)```/s.exec(readFileSync(join(CLIENT, 'README.md'), 'utf8'))!
    writeFileSync(join(project, 'example.mts'), example!)
  })
  after(() => rmSync(project, { recursive: true }))

  const installed = () => readdirSync(join(project, 'node_modules/@souk/client'))

  it('contains the compiled sources with their types, a README and the licence, and no sources', () => {
    const files = installed()
    for (const file of ['index.js', 'index.d.ts', 'package.json', 'README.md', 'LICENSE'])
      assert.ok(files.includes(file), `${file} is missing in ${files}`)
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
      [],
    )
  })

  for (const [compiler, tsc, module, resolution] of [
    ['TypeScript 5', join(CLIENT, 'node_modules/typescript/bin/tsc'), 'nodenext', 'nodenext'],
    ['TypeScript 7', join(ROOT, 'node_modules/typescript/bin/tsc'), 'preserve', 'bundler'],
  ] as const)
    it(`compiles in a new project with ${compiler} and the module resolution ${resolution}`, async () => {
      const options = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom,dom.asynciterable']
      const modules = ['--module', module, '--moduleResolution', resolution]
      const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node']
      const check = (file: string) =>
        run(process.execPath, [tsc, ...options, ...modules, ...types, file], { cwd: project })
      await check('example.mts')
      const wrong = [
        "import { createSouk } from '@souk/client'",
        "const { items } = await createSouk({ baseUrl: '' }).get('/orders')",
        'console.log(items[0]!.nothing)',
      ]
      writeFileSync(join(project, 'wrong.mts'), wrong.join('\n'))
      await assert.rejects(check('wrong.mts'), ({ stdout }) =>
        /Property 'nothing' does not exist/.test(stdout),
      )
    })

  it('runs in Node', async () => {
    await assert.rejects(
      run(process.execPath, ['example.mts', 'http://127.0.0.1:1'], { cwd: project }),
      ({ stderr }) => /ConnectionFailed: The server could not be reached/.test(stderr),
    )
  })
})
