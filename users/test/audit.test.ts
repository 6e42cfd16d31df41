import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { AUDIT_EVENTS } from '../src/audit.ts'

it('docs/audit-events.md lists the audit events of the users service, in the order of the code', () => {
  const text = readFileSync(new URL('../../docs/audit-events.md', import.meta.url), 'utf8')
  const [, section = ''] = text.split('\n## users\n')
  const listed = [...section.split('\n## ', 1)[0]!.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, event]) => event)
  assert.deepEqual(listed, Object.keys(AUDIT_EVENTS))
})
