import { Type } from 'typebox'

// Ranges as every dialect of regular expressions has them, not \p{...}, so that clients can check by the contract.
/** No UTF-8 has them: they would be stored as U+FFFD, and read back as something else. */
const LONE_SURROGATES = '\\ud800-\\udfff'
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'
/** Spaces, joiners, fillers, and marks of direction and variation: they show nothing by themselves. */
const INVISIBLE =
  '\\s\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e' +
  '\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0'

const ONE_LINE = `^(?![${INVISIBLE}]*$)[^${CONTROLS}${LONE_SURROGATES}]*$`
// PostgreSQL takes no NUL.
const FREE_TEXT = `^[^\\u0000${LONE_SURROGATES}]*$`

/** Text without line breaks in which there is something to see. */
export const oneLine = (maxLength: number, what: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: ONE_LINE,
    description: `${what}: one line with at least one visible character, without control characters and lone surrogates`,
  })

/** Text of any form, line breaks included; it may be empty. */
export const freeText = (maxLength: number) =>
  Type.String({
    maxLength,
    pattern: FREE_TEXT,
    description: 'Any text, of several lines too, without NUL and lone surrogates',
  })
