import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fold, MAX_QUERY_WORDS, MAX_SEARCHED, MAX_WORD, termsOf, wordsOf } from '../../src/search/words.ts'

const words = (name: string, description = '') => wordsOf({ name, description })

describe('fold', () => {
  it('fold returns the same text for every spelling of a character, and for its own result', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const char = String.fromCodePoint(code)
      const folded = fold(char)
      const spellings = [
        folded,
        char.toUpperCase(),
        char.toLowerCase(),
        char.normalize('NFC'),
        char.normalize('NFKC'),
      ]
      for (const spelling of spellings) assert.equal(fold(spelling), folded, `U+${code.toString(16)}`)
    }
  })

  it('fold ignores letter case, accents and width in words of several scripts', () => {
    for (const [one, other] of [
      ['STRASSE', 'straße'],
      ['ẞ', 'ss'],
      ['ΟΔΟΣ', 'οδος'],
      ['ЧАЙНИК', 'чайник'],
      ['ÉCLAIR', 'e\u0301clair'],
      ['İstanbul', 'ISTANBUL'],
      ['Łódź', 'lodz'],
      ['smørrebrød', 'SMORREBROD'],
      ['ｋｅｔｔｌｅ', 'Kettle'],
      ['ﬁre', 'FIRE'],
    ] as const) {
      assert.equal(fold(one), fold(other))
    }
  })
})

describe('wordsOf', () => {
  it('wordsOf separates words at spaces, quotes and punctuation, and returns each word once', () => {
    assert.deepEqual(words('Émile’s  "red",\n\t«RED»-teapot 1.5', "emile's"), [
      'EMILE',
      'S',
      'RED',
      'TEAPOT',
      '1',
      '5',
    ])
    assert.deepEqual(words('100%_!\\'), ['100'])
  })

  it('wordsOf returns symbols, and characters of scripts without spaces, as single words', () => {
    assert.deepEqual(words('Tea🔥pot'), ['TEA', '🔥', 'POT'])
    assert.deepEqual(words('銅の壺x1'), ['銅', 'の', '壺', 'X1'])
    assert.deepEqual(words('한국어 차'), ['한국어', '차'])
  })

  it('wordsOf returns only the beginning of a long word and of a long text', () => {
    assert.deepEqual(words('😀'), ['😀'])
    assert.deepEqual(words('𝕬'.repeat(MAX_WORD + 1)), ['A'.repeat(MAX_WORD)])
    assert.deepEqual(words('𐐀'.repeat(MAX_WORD + 1)), ['𐐀'.repeat(MAX_WORD)])
    assert.equal(words('n', '字'.repeat(5_000)).length, 2)
    const longest = words('n', '\ufdfa'.repeat(5_000)).join('').length
    assert.ok(longest < MAX_SEARCHED)
    assert.ok(words('n'.repeat(200), `${'d '.repeat(2_497)} last`).includes('LAST'))
  })
})

describe('termsOf', () => {
  it('termsOf returns the last word as a prefix, even if the word occurs before', () => {
    assert.deepEqual(termsOf('  red kettle,  RED '), [
      { word: 'RED', isPrefix: false },
      { word: 'KETTLE', isPrefix: false },
      { word: 'RED', isPrefix: true },
    ])
    assert.deepEqual(termsOf(' %"_ '), [])
  })

  it('termsOf throws a problem for a text that is too long after normalization, or has too many words', () => {
    termsOf('a'.repeat(200))
    termsOf('a '.repeat(MAX_QUERY_WORDS))
    for (const q of [
      '\ufdfa'.repeat(12),
      'a '.repeat(MAX_QUERY_WORDS + 1),
      '字'.repeat(MAX_QUERY_WORDS + 1),
    ]) {
      assert.throws(() => termsOf(q), { status: 400, code: 'validation-failed' }, q)
    }
  })
})
