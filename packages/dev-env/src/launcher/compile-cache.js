/**
 * Preloaded with `--import`. Node stores compiled code and TypeScript without types in this folder. So a process starts
 * in half the time, and saves 18 MB, because it does not load the compiler. This file is JavaScript, because the cache
 * must be enabled before the first file in TypeScript.
 */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../../../../node_modules/.cache/node', import.meta.url)))
