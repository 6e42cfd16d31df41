/**
 * `npm run rotate-key -w users`: adds a signing key. Running replicas publish the new key within a minute and sign
 * tokens with the new key after 15 minutes.
 *
 * If a key has leaked, run this script, then delete the row of the leaked key from `signing_keys`. Every service caches
 * keys and verified tokens. Therefore the users service accepts tokens signed with the leaked key for up to 2 minutes
 * after the deletion, and the other services for up to 12 minutes.
 */
import { openDatabase } from '@souk/service-kit/database/database'
import { startFailure } from '@souk/service-kit/process/serve'
import { readSettings } from './config.ts'
import type { Tables } from './database/tables.ts'
import { keyEncryption } from './keys/key-encryption.ts'
import { keysStore } from './keys/keys-store.ts'
import { rotateKey } from './keys/signing-keys.ts'

try {
  const config = readSettings()
  const database = openDatabase<Tables>(config.DATABASE_URL, { poolSize: 1 })
  const keys = keysStore(database, keyEncryption(config.SIGNING_KEYS_SECRET))
  const key = await rotateKey(keys, Date.now())
  console.log(`users: made key ${key.kid}; it signs from ${new Date(key.signs_from_at).toISOString()} on.`)
  await database.close()
} catch (error) {
  console.error(startFailure(error))
  // Without this call, open connections in the pool would keep the process running.
  process.exit(1)
}
