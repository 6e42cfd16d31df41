import type { Engine } from '@souk/service-kit/database/database'

/** A safeguard, the edit that removes it, and the test file that must fail without it. */
export interface Guard {
  /** The safeguard in one sentence. */
  safeguard: string
  file: string
  /** A text that occurs once in the file; the edit replaces it with `replace`. */
  remove: string
  replace: string
  /** The test file that must fail; any test in it counts. */
  test: string
  /** The engine to test on; SQLite unless given. */
  engine?: Engine
}
