import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** The gateway that answers the calls of the development server. */
const GATEWAY = 'http://localhost:8080'
const API = '^/(users|auth|products|orders|sellers|\\.well-known)(/|\\?|$)'

/** Writes a compressed copy beside each file, so that a gateway need not compress it for every request. */
const precompress = (): Plugin => ({
  name: 'precompress',
  apply: 'build',
  // Vite still changes the files in earlier hooks.
  writeBundle({ dir }, bundle) {
    for (const name of Object.keys(bundle)) {
      const file = join(dir!, name)
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
    }
  },
})

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    // The pages are served at /shop and /sell, and their files at /assets.
    assetsDir: 'assets',
    // A Content-Security-Policy without `data:` allows no inlined files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { [API]: GATEWAY } },
})
