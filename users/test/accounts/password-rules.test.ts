import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { findPasswordFault } from '../../src/accounts/password-rules.ts'

describe('a new password', () => {
  it('may have characters of any kind', async () => {
    for (const password of [
      'allsmallletters',
      '31415926535897',
      'eight  spaces  in',
      'пароль-ключ',
      '😀😀😀😀😀😀😀😀',
    ]) {
      assert.equal(await findPasswordFault(password), undefined, password)
    }
  })

  it('must not be one of the 3,000 most common passwords, in upper or lower case', async () => {
    const common = dictionary['passwords-common'].filter(({ length }) => length >= 8).slice(0, 3000)
    assert.equal(common.length, 3000)
    for (const password of [...common, 'PassWord', 'Password1', 'IloveYOU1']) {
      assert.equal((await findPasswordFault(password))?.code, 'password-too-common', password)
    }
  })

  it('must have at least 8 characters in its NFC form', async () => {
    const decomposed = 'é'.repeat(4).normalize('NFD')
    assert.equal([...decomposed].length, 8)
    assert.match((await findPasswordFault(decomposed))?.detail ?? '', /at least 8/)
  })

  it('must be well-formed Unicode text', async () => {
    assert.match((await findPasswordFault('\ud83dlanterns'))?.detail ?? '', /well-formed/)
  })
})
