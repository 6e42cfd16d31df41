import { HttpProblem } from '@souk/service-kit/http/problem'

/** Maximum number of characters of a product, after folding, that a search considers. Limits the rows of a product. */
export const MAX_SEARCHED = 5_200
/** Maximum length of a word, in characters. Of a longer word, only the beginning is stored and compared. */
export const MAX_WORD = 32
/** Maximum length of a search text after folding. Also the maximum before folding. */
export const MAX_QUERY = 200
export const MAX_QUERY_WORDS = 16

/** A word that a product must have, or, with `isPrefix`, the beginning of such a word. */
export interface Term {
  word: string
  isPrefix: boolean
}

/**
 * Writes text in the form in which words are compared: without differences of letter case, accents and width (NFKD, the
 * Unicode standard's annex 15). The text ends in upper case, because only there is ß equal to ss, and σ to ς. The step
 * through lower case is for ẞ, which has no other upper case.
 */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ØŁĐĦŦÆŒ]/g, (letter) => UNDECOMPOSED[letter]!)
    .normalize('NFC')

/** Letters that people type without their stroke or as two letters, although Unicode does not decompose them. */
const UNDECOMPOSED: Record<string, string> = { Ø: 'O', Ł: 'L', Đ: 'D', Ħ: 'H', Ŧ: 'T', Æ: 'AE', Œ: 'OE' }

/** The scripts that write words without spaces between them. Each of their characters counts as a word. */
const WITHOUT_SPACES =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Bopo}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/gu

/**
 * Returns the words of folded text. A word is a run of letters and digits, or one symbol such as an emoji. Spaces,
 * quotes and other punctuation only separate words.
 */
function wordsIn(folded: string): string[] {
  const words = folded.replace(WITHOUT_SPACES, ' $& ').match(/[\p{L}\p{N}]+|\p{So}/gu) ?? []
  return words.map((word) => [...word].slice(0, MAX_WORD).join(''))
}

/** Returns the distinct words by which a search finds a product. */
export function wordsOf({ name, description }: { name: string; description: string }): string[] {
  // A cut between the two halves of a character leaves a lone surrogate, which is in no word.
  const searched = fold(`${name} ${description}`).slice(0, MAX_SEARCHED)
  return [...new Set(wordsIn(searched))]
}

/**
 * Returns the words of a search text. The last one may be the beginning of a word, so that a search finds products
 * while the buyer is still typing.
 *
 * @throws HttpProblem 400 if the text is too long
 */
export function termsOf(q: string): Term[] {
  const folded = fold(q.trim())
  const words = wordsIn(folded)
  if (folded.length > MAX_QUERY || words.length > MAX_QUERY_WORDS) throw tooLong()
  const last = words.pop()
  const whole = [...new Set(words)].map((word) => ({ word, isPrefix: false }))
  return last === undefined ? [] : [...whole, { word: last, isPrefix: true }]
}

const tooLong = () =>
  new HttpProblem(400, 'validation-failed', 'The search text is too long; see errors.', {
    errors: [
      {
        pointer: '#/q',
        in: 'query',
        detail: `must not have more than ${MAX_QUERY} characters or ${MAX_QUERY_WORDS} words after Unicode normalization`,
      },
    ],
  })
