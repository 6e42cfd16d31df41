/**
 * `npm run rotate-key -w users`: adds a signing key, which running replicas publish within a minute and sign
 * with a quarter of an hour later. A key that leaked: rotate, then delete its row; its tokens are refused here
 * within a minute, and by the other services when they next read the keys, within 10.
 */
import { openDatabase } from '@souk/service-kit/database/database'
import { startFailure } from '@souk/service-kit/process/serve'
import { readSettings } from './config.ts'
import type { Tables } from './database/migrations.ts'
import { rotateKey } from './keys/key-ring.ts'
import { keysStore } from './keys/keys-store.ts'

try {
  const database = openDatabase<Tables>(readSettings().DATABASE_URL, { poolSize: 1 })
  const key = await rotateKey(keysStore(database), Date.now())
  console.log(`users: made key ${key.kid}; it signs from ${new Date(key.signsFromAt).toISOString()} on.`)
  await database.close()
} catch (error) {
  console.error(startFailure(error))
  process.exit(1)
}
