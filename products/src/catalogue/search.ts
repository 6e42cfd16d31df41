/**
 * Text in the one form in which names and search words are compared, so that every engine finds the same:
 * their own ideas of case differ. Upper case, since it folds more than lower case does (ß and SS, σ and ς).
 */
export const searchable = (text: string): string => text.normalize('NFKC').toUpperCase()

/** Escapes in our LIKE patterns; not the backslash, which MySQL reads as an escape of its own before. */
export const LIKE_ESCAPE = '!'

/** The LIKE pattern for text that contains `words` as they stand, wildcards included. */
export const containing = (words: string): string =>
  `%${searchable(words).replaceAll(/[!%_]/g, (char) => LIKE_ESCAPE + char)}%`
