export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 128

/**
 * Checks a new password against the rules that the request schema does not check. Returns the first broken rule, or
 * undefined. OWASP ASVS 5.0 (section 6.2) forbids rules that require special characters, so this file has none.
 */
export async function findPasswordFault(
  password: string,
): Promise<{ code: string; detail: string } | undefined> {
  // UTF-8 cannot encode half a surrogate pair, so different malformed passwords would have the same hash.
  if (!password.isWellFormed())
    return { code: 'validation-failed', detail: 'must be well-formed Unicode text' }
  // Counts the characters of the NFC form, because this form is hashed and may have fewer characters.
  if ([...password.normalize('NFC')].length < PASSWORD_MIN_LENGTH) {
    return { code: 'validation-failed', detail: `must have at least ${PASSWORD_MIN_LENGTH} characters` }
  }
  if ((await commonPasswords()).has(password.toLowerCase())) {
    return { code: 'password-too-common', detail: 'is one of the most common passwords; choose another' }
  }
  return undefined
}

let loading: Promise<ReadonlySet<string>> | undefined

/** Returns about 18,000 common passwords of the minimum length or longer, in lower case. Loads the list only once. */
const commonPasswords = (): Promise<ReadonlySet<string>> =>
  (loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set(dictionary['passwords-common'].filter(({ length }) => length >= PASSWORD_MIN_LENGTH)),
  ))
