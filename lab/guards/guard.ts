import type { Engine } from '@souk/service-kit/database/database'

/** A safeguard, the edit that removes it, and the test file that must fail without it. */
export interface Guard {
  /** The safeguard in one sentence. */
  safeguard: string
  file: string
  /** The text of the safeguard, which occurs once in the file. The edit replaces it with `replace`. */
  remove: string
  replace: string
  /** The test file in which at least one test must fail without the safeguard. */
  test: string
  /** The engine on which the test runs; SQLite by default. */
  engine?: Engine
}
