import { UserError } from '../errors.ts'

export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 128

/**
 * UTF-8 cannot encode half a surrogate pair. Each half would be replaced by the same character, so different passwords
 * would have the same hash.
 */
export const WELL_FORMED = '^[^\\ud800-\\udfff]*$'

/** Estimates the guesses for a password, as a power of ten. An attacker tries the words in `known` first. */
export type PasswordStrength = (password: string, known: readonly string[]) => Promise<number>

/**
 * zxcvbn estimates 10 guesses for a character in which it finds no pattern, so that the shortest passwords without a
 * pattern take 10^8 guesses. Passwords with a pattern that saves two thirds of the guesses or more are rejected.
 */
const MIN_STRENGTH = 7.5

const WORDS_OF_SOUK = ['souk', 'marketplace', 'market', 'shop', 'seller', 'buyer', 'order']

/**
 * Checks a new password against the rules that the request schema cannot express. OWASP ASVS 5.0 (section 6.2) forbids
 * rules that require special characters, so there are none.
 *
 * @param field the name of the field in the request, for the error
 * @throws UserError `password-too-short`, `password-too-common`
 */
export async function rejectWeakPassword(
  strength: PasswordStrength,
  password: string,
  username: string,
  field: string,
): Promise<void> {
  // Counts the characters of the NFC form, because this form is hashed and may have fewer characters.
  if ([...password.normalize('NFC')].length < PASSWORD_MIN_LENGTH) {
    throw new UserError('password-too-short', { field })
  }
  const parts = username.split(/[._-]+/)
  const known = [username, parts.join(''), ...parts.filter(({ length }) => length > 2), ...WORDS_OF_SOUK]
  if ((await strength(password, known)) < MIN_STRENGTH) throw new UserError('password-too-common', { field })
}
