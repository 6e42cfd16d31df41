import { Tinypool } from 'tinypool'
import type { Derive } from './password-hasher.ts'
import type { PasswordStrength } from './password-rules.ts'
import type * as worker from './password-worker.ts'

const filename = new URL('./password-worker.ts', import.meta.url).href

/** A thread takes about 10 MB. It starts when it is needed, in 50 ms, and ends when it has had no work for this time. */
const IDLE_MS = 60_000

/**
 * Returns threads that compute password hashes and the strength of passwords. Node's own thread pool also signs tokens
 * and looks up host names, so a hash of 46 MiB there would delay all requests.
 *
 * @param hashes the maximum number of hashes computed concurrently; each one has its own thread
 */
export function passwordThreads(hashes: number) {
  const hashing = new Tinypool({ filename, minThreads: 0, maxThreads: hashes, idleTimeout: IDLE_MS })
  // One thread is enough and saves memory: each thread that checks strength loads a list of passwords of 30 MB.
  const checking = new Tinypool({ filename, minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS })
  const derive: Derive = async (parameters) => {
    const tag: Awaited<ReturnType<typeof worker.derive>> = await hashing.run(parameters, { name: 'derive' })
    return Buffer.from(tag)
  }
  const strength: PasswordStrength = (...args) => checking.run(args, { name: 'strength' })
  return { derive, strength, close: () => Promise.all([hashing.destroy(), checking.destroy()]) }
}
