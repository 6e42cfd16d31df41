import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PACKAGE = fileURLToPath(new URL('../', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MODULES = join(ROOT, 'node_modules')

/** The compiler options of two usual projects: a program for Node, and a page that a bundler builds. */
const PROJECTS = {
  nodenext: { module: 'nodenext', types: ['node'], typeRoots: [join(MODULES, '@types')], skipLibCheck: true },
  bundler: {
    module: 'preserve',
    moduleResolution: 'bundler',
    lib: ['es2023', 'dom'],
    types: [],
    skipDefaultLibCheck: true,
    noEmit: true,
  },
}

const [, example] = /```ts\n(.*?)```/s.exec(readFileSync(join(PACKAGE, 'README.md'), 'utf8'))!

/** The responses to the example in the README. */
const RESPONSES: Record<string, object> = {
  'POST /auth/login': { accessToken: 'a', refreshToken: 'r', tokenType: 'Bearer', expiresIn: 900, user: {} },
  'GET /products?q=lamp': { items: [{ id: 1, name: 'Lamp', stock: 3 }], nextCursor: null },
  'POST /orders': { id: 'o', status: 'CONFIRMED' },
}

describe('The package that `npm pack` creates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'souk-package-'))
  const project = join(folder, 'project')
  let files: string[]

  before(async () => {
    const tarball = await pack(folder)
    files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
    // npm finds the dependencies of the package in these folders, so the test needs no network.
    const dependencies = ['openapi-fetch', 'openapi-typescript-helpers'].map((name) => join(MODULES, name))
    const options = ['--offline', '--install-links', '--no-audit', '--no-fund']
    await run('npm', ['install', ...options, tarball, ...dependencies], { cwd: project })
  })
  after(() => rmSync(folder, { recursive: true }))

  const compile = async (text: string, compilerOptions: object) => {
    writeFileSync(join(project, 'program.ts'), text)
    const options = { target: 'es2023', strict: true, ...compilerOptions }
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['program.ts'] }),
    )
    const compiler = join(MODULES, 'typescript/bin/tsc')
    await run(process.execPath, [compiler], { cwd: project }).catch(({ stdout }) => assert.fail(stdout))
  }

  it('contains only JavaScript, declarations, the README and the license', () => {
    const others = files.filter((file) => !/^package\/dist\/[\w.-]+(\.js|\.d\.ts)$/.test(file))
    assert.deepEqual(others.map((file) => basename(file)).sort(), ['LICENSE', 'README.md', 'package.json'])
    const licenses = [ROOT, PACKAGE].map((path) => readFileSync(join(path, 'LICENSE'), 'utf8'))
    assert.equal(licenses[0], licenses[1])
  })

  it('lets the example of its README compile in a new project for a bundler, but not a path that is not in the contract', async () => {
    const wrong = "// @ts-expect-error: this line must not compile\nawait souk.get('/nothing')\n"
    await compile(example + wrong, PROJECTS.bundler)
  })

  it('lets the example of its README compile and run in a new project for Node', async () => {
    const server = createServer(({ method, url }, response) => {
      const body = RESPONSES[`${method} ${url}`]
      response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    await compile(example!.replace('http://localhost:8080', `http://127.0.0.1:${port}`), PROJECTS.nodenext)
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: project })
    server.close()
    assert.equal(stdout, '1 Lamp 3\nOrder o is CONFIRMED\n')
  })
})

/** Packs a copy, because npm changes package.json while it packs, and other tests import the package at that time. */
async function pack(folder: string): Promise<string> {
  const copy = join(folder, 'repository/packages/client')
  cpSync(PACKAGE, copy, { recursive: true, filter: (path) => !/[/\\](node_modules|dist)$/.test(path) })
  symlinkSync(MODULES, join(folder, 'repository/node_modules'))
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: copy })
  return join(folder, stdout.trim())
}
