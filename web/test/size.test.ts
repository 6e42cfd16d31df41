import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const MAX_BYTES = 100_000

it('the JavaScript that the first page needs is at most 100 kB after compression', async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'souk-web-'))
  try {
    await build({ root: fileURLToPath(new URL('..', import.meta.url)), logLevel: 'error', build: { outDir } })
    const html = readFileSync(join(outDir, 'index.html'), 'utf8')
    // The entry, and the files that it imports statically, which Vite preloads.
    const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path!)
    assert.ok(scripts.length > 0)
    const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(outDir, path))).length, 0)
    assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`)
  } finally {
    rmSync(outDir, { recursive: true })
  }
})
