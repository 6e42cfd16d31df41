import type { Database } from '@souk/service-kit/database/database'
import { accountsStore } from './accounts/accounts-store.ts'
import type { Tables } from './database/tables.ts'
import { UserError } from './errors.ts'
import type { PasswordHasher } from './passwords/password-hasher.ts'

/** The ids are fixed, so that the demo data of other services can refer to these users. */
const demoId = (number: number) => `01900000-0000-7000-8000-00000000000${number}`
export const DEMO_BUYER_ID = demoId(1)
export const DEMO_SELLER_ID = demoId(2)
/** Registration rejects this weak password. In production, the service does not start if SEED_DEMO_DATA is true. */
const DEMO_PASSWORD = 'password'

const DEMO_USERS = [
  { id: DEMO_BUYER_ID, username: 'user-1', display_name: 'Anna', role: 'BUYER' },
  { id: DEMO_SELLER_ID, username: 'seller-1', display_name: 'Atlas Lights', role: 'SELLER' },
  { id: demoId(3), username: 'seller-2', display_name: 'Fes Pottery', role: 'SELLER' },
  { id: demoId(4), username: 'seller-3', display_name: 'Cedar and Thread', role: 'SELLER' },
  { id: demoId(5), username: 'seller-4', display_name: 'The Spice Stair', role: 'SELLER' },
] as const

/** Adds the demo users that do not exist yet. Several replicas may call this concurrently. */
export async function seedDemoUsers(database: Database<Tables>, hasher: PasswordHasher): Promise<void> {
  const accounts = accountsStore(database)
  // One hash for all of them, so that the first start is quick. Everybody knows the password anyway.
  let password_hash: string | undefined
  for (const user of DEMO_USERS) {
    if (await accounts.findByUsername(user.username)) continue
    password_hash ??= await hasher.hash(DEMO_PASSWORD)
    await accounts
      .add({ ...user, password_hash, password_version: 1, created_at: Date.now() })
      .catch((error: unknown) => {
        // A UserError means that another replica added the user first.
        if (!(error instanceof UserError)) throw error
      })
  }
}
