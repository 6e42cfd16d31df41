import { createHash } from 'node:crypto'
import pg from 'pg'

/** Statements kept prepared on the server, a connection each; ours number a few dozen. */
const PREPARED_STATEMENTS = 200

const names = new Map<string, string>()

/** The statement's name, the same in every connection; undefined for those past the bound, which go unprepared. */
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= PREPARED_STATEMENTS) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 20)
  names.set(text, name)
  return name
}

/**
 * A client that has the server parse and plan each statement once a connection. Statements with a list whose
 * length varies are as many as there are lengths, hence the bound; those that matter have one text.
 */
export class PreparingClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's overloads, which Kysely calls with text and values
  override query(...args: any[]): any {
    const [text, values, ...rest] = args
    const name =
      typeof text === 'string' && Array.isArray(values) && values.length > 0 ? nameOf(text) : undefined
    const query = super.query as (...args: unknown[]) => unknown
    this.#writeAtOnce()
    return name ? query.call(this, { name, text, values }, ...rest) : query.apply(this, args)
  }

  /** What is pipelined in one turn goes in one write: each would wake the server on its own. */
  #writeAtOnce(): void {
    const { stream } = this.connection
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
}
