export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 128

/**
 * Returns what is wrong with a new password, beyond what its schema checks, or undefined when it is acceptable.
 * Only length and commonness count: rules about kinds of characters make passwords weaker (ASVS 5.0, 6.2).
 */
export async function findPasswordFault(
  password: string,
): Promise<{ code: string; detail: string } | undefined> {
  // UTF-8 cannot encode half a surrogate pair, so different malformed passwords would have the same hash.
  if (!password.isWellFormed())
    return { code: 'validation-failed', detail: 'must be well-formed Unicode text' }
  // Passwords are hashed in their NFC form, which may have fewer characters than the client sent.
  if ([...password.normalize('NFC')].length < PASSWORD_MIN_LENGTH) {
    return { code: 'validation-failed', detail: `must have at least ${PASSWORD_MIN_LENGTH} characters` }
  }
  if ((await commonPasswords()).has(password.toLowerCase())) {
    return { code: 'password-too-common', detail: 'is one of the most common passwords; choose another' }
  }
  return undefined
}

let loading: Promise<ReadonlySet<string>> | undefined

/** About 18,000 common passwords of the minimum length or more, in lower case. Loaded on first use. */
const commonPasswords = (): Promise<ReadonlySet<string>> =>
  (loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set(dictionary['passwords-common'].filter(({ length }) => length >= PASSWORD_MIN_LENGTH)),
  ))
