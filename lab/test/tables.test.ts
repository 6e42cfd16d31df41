import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

it('docs/tables.md has a row for every table of the three services, and no row without a table', async () => {
  const { url, drop } = await createTestDatabase('sqlite')
  for (const service of ['users', 'products', 'orders']) {
    const env = { ...process.env, DATABASE_URL: url, SEED_DEMO_DATA: 'false' }
    execFileSync(process.execPath, [`${ROOT}${service}/src/migrate.ts`], { env })
  }
  const database = openDatabase(url)
  const tables = (await database.kysely.introspection.getTables()).map(({ name }) => name)
  await database.close()
  await drop()
  const page = readFileSync(`${ROOT}docs/tables.md`, 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  const isBookkeeping = (name: string) => /_migrations(_lock)?$/.test(name)
  assert.deepEqual(rows.sort(), tables.filter((name) => !isBookkeeping(name)).sort())
})
