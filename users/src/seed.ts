import type { Database } from '@souk/service-kit/database/database'
import { usersStore } from './accounts/accounts-store.ts'
import type { PasswordHasher } from './accounts/password-hasher.ts'
import type { Tables } from './database/migrations.ts'
import { UserError } from './errors.ts'

/** Fixed, so that other services' demo data can refer to them. */
export const DEMO_BUYER_ID = '01900000-0000-7000-8000-000000000001'
export const DEMO_SELLER_ID = '01900000-0000-7000-8000-000000000002'
/** One of the most common there are: demo data is exempt from the rules, and refused in production. */
export const DEMO_PASSWORD = 'password'

const DEMO_USERS = [
  { id: DEMO_BUYER_ID, username: 'user-1', role: 'BUYER' },
  { id: DEMO_SELLER_ID, username: 'seller-1', role: 'SELLER' },
] as const

/** Makes the demo logins that are not there yet; replicas may do so at once. */
export async function seedDemoUsers(database: Database<Tables>, hasher: PasswordHasher): Promise<void> {
  const users = usersStore(database)
  for (const user of DEMO_USERS) {
    if (await users.findByUsername(user.username)) continue
    const passwordHash = await hasher.hash(DEMO_PASSWORD)
    await users
      .add({ ...user, passwordHash, passwordVersion: 1, createdAt: Date.now() })
      .catch((error: unknown) => {
        // Another replica was faster.
        if (!(error instanceof UserError)) throw error
      })
  }
}
