import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { buildPublicApp } from '../src/app.ts'
import { AUDIT_EVENTS } from '../src/audit.ts'
import { migrations } from '../src/database/migrations.ts'
import type { Tables } from '../src/database/tables.ts'
import { kettle } from './helper.ts'

describe('the audit trail of products', () => {
  it('the log has an event for each change by a seller, without the texts that the seller wrote', async () => {
    const database = openDatabase<Tables>('sqlite::memory:')
    await migrate(database, 'products', migrations)
    const issuer = await testIssuer()
    const app = await buildPublicApp({ database, verifyToken: issuer.verifyToken })
    const entries: Record<string, unknown>[] = []
    app.addHook('onRequest', async ({ log }) => {
      log.info = (fields: Record<string, unknown>) => entries.push(fields)
    })
    const seller = await issuer.as('SELLER')
    const send = async (method: 'POST' | 'PATCH', url: string, payload: object) =>
      app.inject({ method, url, headers: { ...seller, 'if-match': '*' }, payload })
    const created = await send('POST', '/products', kettle)
    const { id, sellerId } = created.json()
    await send('PATCH', `/products/${id}`, { name: 'secret text', status: 'DISABLED' })
    await send('PATCH', `/products/${id}`, { status: 'ACTIVE' })
    await send('POST', `/products/${id}/stock-adjustments`, { delta: 3, reason: 'secret text' })
    await send('POST', `/products/${id}/stock-adjustments`, { delta: -1_000, reason: 'too many' })
    await app.close()
    await database.close()
    const by = { user: sellerId, product: id }
    assert.deepEqual(
      entries.filter(({ event }) => event),
      [
        { event: 'product-created', ...by },
        { event: 'product-changed', ...by, fields: ['name'] },
        { event: 'product-disabled', ...by },
        { event: 'product-enabled', ...by },
        { event: 'stock-adjusted', ...by, delta: 3 },
      ],
    )
    assert.doesNotMatch(JSON.stringify(entries), /secret text/)
  })

  it('docs/audit-events.md describes each event of products', () => {
    const page = readFileSync(new URL('../../docs/audit-events.md', import.meta.url), 'utf8')
    for (const event of Object.keys(AUDIT_EVENTS)) assert.ok(page.includes(`| \`${event}\` |`), event)
  })
})
