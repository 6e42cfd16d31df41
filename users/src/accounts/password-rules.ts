export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 128

export interface PasswordFault {
  code: 'validation-failed' | 'password-too-common'
  detail: string
}

/**
 * What speaks against a new password beyond what the contract's schema says; undefined when nothing does.
 * Length and commonness alone count (ASVS 5.0, 6.2): rules of composition make passwords worse.
 */
export async function passwordFault(password: string): Promise<PasswordFault | undefined> {
  // Half a surrogate pair has no bytes in UTF-8: all such passwords would be one and the same.
  if (!password.isWellFormed())
    return { code: 'validation-failed', detail: 'must be well-formed Unicode text' }
  // Composed, as it is hashed, it may have fewer characters than were sent.
  if ([...password.normalize('NFC')].length < PASSWORD_MIN_LENGTH) {
    return { code: 'validation-failed', detail: `must have at least ${PASSWORD_MIN_LENGTH} characters` }
  }
  if ((await commonPasswords()).has(password.toLowerCase())) {
    return { code: 'password-too-common', detail: 'is one of the most common passwords; choose another' }
  }
  return undefined
}

let loading: Promise<ReadonlySet<string>> | undefined

/** About 18,000 of those long enough to be chosen here, in lower case; loaded when first needed. */
const commonPasswords = (): Promise<ReadonlySet<string>> =>
  (loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set(dictionary['passwords-common'].filter(({ length }) => length >= PASSWORD_MIN_LENGTH)),
  ))
