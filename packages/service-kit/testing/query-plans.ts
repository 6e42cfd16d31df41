/**
 * Measures how many rows each statement of a service examines. A test fills the tables, calls all routes and jobs, and
 * passes the recorded statements to `assertCheap`. A full scan, a sort of many rows, and a filter that the index does
 * not carry all examine many rows, so one figure reveals all of them.
 */
import assert from 'node:assert/strict'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import pg from 'pg'
import type { Database, Engine } from '../src/database/database.ts'

interface Statement {
  sql: string
  parameters: readonly unknown[]
}

/** How the engine ran a statement. `indexes` has the names of the indexes; on SQLite also the columns used. */
interface Plan {
  examined: number
  indexes: string[]
}

/**
 * The number of rows of the user who calls the routes, and the least number of rows of a table. Tables with rows of a
 * user should have about 20 times as many rows of others: for a user who has a large share of a table, a full scan is
 * the right plan.
 */
export const OWN_ROWS = 500

/**
 * The most that one statement may examine for a page of 5 items: on a server rows, on SQLite steps of its virtual
 * machine. SQLite takes at least 3 steps for each row, so a scan of OWN_ROWS exceeds each limit.
 */
const MOST: Record<Engine, number> = { postgres: 100, mysql: 100, sqlite: 1_000 }

/** A statement that may examine more: `times` as much. The test must state the reason. */
export interface Exception {
  pattern: RegExp
  times: number
  because: string
}

/** Records the statements that search. Pass `onStatement` to `openDatabase`. */
export function statementRecorder() {
  const statements = new Map<string, Statement>()
  let isRecording = false
  return {
    /** The recorded statements. A statement appears once for each set of parameters. */
    statements,
    onStatement: (text: string, parameters: readonly unknown[]): void => {
      // Transaction statements, and inserts of given rows, search nothing.
      if (!isRecording || /^(begin|commit|rollback|insert into \S+ \([^)]*\) values)/.test(text)) return
      statements.set(JSON.stringify([text, parameters]), { sql: text, parameters })
    },
    /** Runs `work` and records its statements. */
    record: async <Result>(work: () => Promise<Result>): Promise<Result> => {
      isRecording = true
      return work().finally(() => {
        isRecording = false
      })
    },
  }
}

/** Asserts that every table, except those in `small`, has at least OWN_ROWS rows, and updates the statistics. */
export async function assertFilled<Tables>(database: Database<Tables>, small: string[] = []): Promise<void> {
  const kysely = database.kysely as Kysely<unknown>
  for (const { name } of await kysely.introspection.getTables()) {
    if (small.includes(name) || /_migrations(_lock)?$/.test(name)) continue
    const counting = sql<{ count: number }>`select count(*) as count from ${sql.table(name)}`
    const { count } = (await counting.execute(kysely)).rows[0]!
    assert.ok(count >= OWN_ROWS, `The test must fill the table ${name}, which has only ${count} rows.`)
    // The planners of the servers use statistics, which a server updates by itself only after some time.
    if (database.engine === 'postgres') await sql`analyze ${sql.table(name)}`.execute(kysely)
    if (database.engine === 'mysql') await sql`analyze table ${sql.table(name)}`.execute(kysely)
  }
}

/**
 * Runs the statements again, each in a transaction that is rolled back, and asserts that none of them examines more
 * rows than allowed.
 *
 * @param url the URL of `database`
 * @param prepare SQL that first deletes, in the same transaction, the rows whose keys a statement would insert again
 * @returns the list of all statements, each with its worst case and its indexes
 */
export async function assertCheap<Tables>(
  database: Database<Tables>,
  url: string,
  statements: Iterable<Statement>,
  { exceptions = [], prepare = [] }: { exceptions?: Exception[]; prepare?: string[] } = {},
): Promise<string> {
  const { engine } = database
  const worst = new Map<string, Plan & Statement>()
  for (const statement of statements) {
    const plan =
      engine === 'sqlite'
        ? planOnSqlite(url.slice('sqlite:'.length), statement, prepare)
        : await planOnServer(database, statement, prepare)
    const known = worst.get(statement.sql)
    if (!known || known.examined < plan.examined) worst.set(statement.sql, { ...plan, ...statement })
  }
  const all = [...worst.values()].sort((a, b) => b.examined - a.examined)
  const expensive = all.filter((plan) => {
    const times = exceptions.find(({ pattern }) => pattern.test(plan.sql))?.times ?? 1
    return plan.examined > MOST[engine] * times
  })
  const list = (plans: readonly (Plan & Statement)[]) => plans.map(describe).join('\n')
  assert.ok(
    expensive.length === 0,
    `These statements examine more than ${MOST[engine]} rows:\n${list(expensive)}`,
  )
  return `Examined at most, indexes, statement:\n${list(all)}`
}

const describe = ({ examined, indexes, sql, parameters }: Plan & Statement) =>
  `${examined} | ${indexes.join(', ')} | ${sql.replaceAll(/\s+/g, ' ')} | ${JSON.stringify(parameters).slice(0, 100)}`

/** Runs the statement on a connection of its own, because Kysely's connection does not report the steps. */
function planOnSqlite(file: string, { sql, parameters }: Statement, prepare: string[]): Plan {
  const database = new DatabaseSync(file)
  try {
    database.exec(['begin immediate', ...prepare].join(';'))
    const values = parameters as SQLInputValue[]
    const plan = database.prepare(`explain query plan ${sql}`).all(...values) as { detail: string }[]
    // The types of Node do not declare `stat` yet.
    const statement = database.prepare(sql) as StatementSync & { stat(counter: 'vmStep'): number }
    statement.all(...values)
    return { examined: statement.stat('vmStep'), indexes: plan.map(({ detail }) => detail) }
  } finally {
    // Rolls back too.
    database.close()
  }
}

async function planOnServer<Tables>(
  { kysely, engine }: Database<Tables>,
  statement: Statement,
  prepare: string[],
): Promise<Plan> {
  const trx = await kysely.startTransaction().execute()
  try {
    for (const text of prepare) await trx.executeQuery(CompiledQuery.raw(text))
    return await (engine === 'postgres' ? planOnPostgres(trx, statement) : planOnMysql(trx, statement))
  } finally {
    await trx.rollback().execute()
  }
}

async function planOnPostgres<Tables>(
  trx: Transaction<Tables>,
  { sql, parameters }: Statement,
): Promise<Plan> {
  // The service prepares its statements, and the plan of a prepared statement does not depend on the values.
  const name = `measured_${++preparedStatements}`
  await trx.executeQuery(CompiledQuery.raw(`prepare ${name} as ${sql}`))
  const execute = parameters.length > 0 ? `${name}(${parameters.map(literal).join(', ')})` : name
  const { rows } = await trx.executeQuery<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    CompiledQuery.raw(`explain (analyze, timing off, format json) execute ${execute}`),
  )
  const scans = nodesOf(rows[0]!['QUERY PLAN'][0].Plan).filter(
    (node) => node['Node Type'].includes('Scan') && (node['Relation Name'] ?? node['Index Name']),
  )
  return {
    examined: scans.reduce((sum, scan) => sum + rowsOf(scan), 0),
    indexes: scans.map((scan) => scan['Index Name'] ?? `${scan['Node Type']} on ${scan['Relation Name']}`),
  }
}

let preparedStatements = 0

function literal(value: unknown): string {
  if (value === null) return 'null'
  const text = Array.isArray(value)
    ? `{${value.map((item) => JSON.stringify(`${item}`)).join()}}`
    : `${value}`
  return pg.escapeLiteral(text)
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

const rowsOf = (scan: PlanNode) =>
  scan['Actual Loops'] *
  (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0) + (scan['Rows Removed by Index Recheck'] ?? 0))

async function planOnMysql<Tables>(trx: Transaction<Tables>, { sql, parameters }: Statement): Promise<Plan> {
  const run = <Row>(text: string) => trx.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))
  const plan = await run<{ table: string; key: string | null }>(`explain ${sql}`)
  const first = await rowsRead(trx)
  const before = await rowsRead(trx)
  await run(sql)
  // The queries of the counters are counted too.
  const examined = (await rowsRead(trx)) - before - (before - first)
  return { examined, indexes: plan.rows.map(({ table, key }) => `${table}: ${key}`) }
}

/** Returns how many rows and index entries this connection has read. */
async function rowsRead<Tables>(trx: Transaction<Tables>): Promise<number> {
  type Counter = { Variable_name: string; Value: string }
  const { rows } = await sql<Counter>`show session status like 'Handler%'`.execute(trx)
  const counters = rows.filter(({ Variable_name }) => /^Handler_(read_|icp_attempts)/.test(Variable_name))
  return counters.reduce((sum, { Value }) => sum + Number(Value), 0)
}
