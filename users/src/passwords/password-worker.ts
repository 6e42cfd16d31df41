/** The code that the threads of `passwordThreads` run. */
import { type Argon2Parameters, argon2Sync } from 'node:crypto'
import type { ZxcvbnFactory } from '@zxcvbn-ts/core'

export const derive = (parameters: Argon2Parameters): Uint8Array => argon2Sync('argon2id', parameters)

/**
 * zxcvbn looks only at this many characters, because its time grows with the square of the length. For this length, the
 * time is at most that of a password hash. If the start of a password is strong, the whole password is strong.
 */
const CHECKED_LENGTH = 64

let zxcvbn: Promise<ZxcvbnFactory> | undefined

/**
 * zxcvbn and the common passwords are loaded on first use. The English dictionary of zxcvbn is left out: it finds none of
 * the 3,000 most common passwords that this list does not find, takes ten times as long, and needs 40 MB more.
 */
const loadZxcvbn = async () => {
  const { ZxcvbnFactory } = await import('@zxcvbn-ts/core')
  const { adjacencyGraphs: graphs, dictionary } = await import('@zxcvbn-ts/language-common')
  return new ZxcvbnFactory({ dictionary, graphs, maxLength: CHECKED_LENGTH })
}

/**
 * Estimates how many guesses an attacker needs for a password, as a power of ten.
 *
 * @param known words that the attacker tries first, such as the username
 */
export async function strength([password, known]: [
  password: string,
  known: readonly string[],
]): Promise<number> {
  zxcvbn ??= loadZxcvbn()
  // NFKC converts letters in other shapes (full width, circled) to plain letters.
  return (await zxcvbn).check(password.normalize('NFKC'), [...known]).guessesLog10
}
