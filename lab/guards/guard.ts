import type { Engine } from '@souk/service-kit/database/database'

/** A safeguard: the edit that removes it, and the test file that must fail then. */
export interface Guard {
  /** The promise that the safeguard keeps. */
  safeguard: string
  file: string
  /** This text occurs once in the file; the guard replaces it with `replace`. */
  remove: string
  replace: string
  /** The test file that must fail; any test in it counts. */
  test: string
  /** The engine that shows it; SQLite unless given. */
  engine?: Engine
}
