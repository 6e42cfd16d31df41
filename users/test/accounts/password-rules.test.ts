import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { passwordFault } from '../../src/accounts/password-rules.ts'

describe('a new password', () => {
  it('may be of any composition', async () => {
    for (const password of [
      'allsmallletters',
      '31415926535897',
      'eight  spaces  in',
      'пароль-ключ',
      '😀😀😀😀😀😀😀😀',
    ]) {
      assert.equal(await passwordFault(password), undefined, password)
    }
  })

  it('is none of the 3,000 most common that are long enough, in whatever case', async () => {
    const common = dictionary['passwords-common'].filter(({ length }) => length >= 8).slice(0, 3000)
    assert.equal(common.length, 3000)
    for (const password of [...common, 'PassWord', 'Password1', 'IloveYOU1']) {
      assert.equal((await passwordFault(password))?.code, 'password-too-common', password)
    }
  })

  it('has 8 characters when composed, whatever was sent', async () => {
    const decomposed = 'é'.repeat(4).normalize('NFD')
    assert.equal([...decomposed].length, 8)
    assert.match((await passwordFault(decomposed))?.detail ?? '', /at least 8/)
  })

  it('is well-formed: halves of characters would all be the same bytes', async () => {
    assert.match((await passwordFault('\ud83dlanterns'))?.detail ?? '', /well-formed/)
  })
})
