import type { Database } from '@souk/service-kit/database/database'
import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Tables } from '../database/migrations.ts'
import { UserError } from '../errors.ts'
import { endSessionsOf } from '../sessions/sessions-store.ts'
import { type Account, toAccount, toRow } from './account.ts'

export function usersStore(database: Database<Tables>) {
  const { kysely } = database
  const find = async (column: 'id' | 'username', value: string): Promise<Account | undefined> => {
    const row = await kysely.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
    return row && toAccount(row)
  }
  return {
    findById: (id: string) => find('id', id),
    findByUsername: (username: string) => find('username', username),

    /** @throws UserError `username-taken` */
    add: async (account: Account): Promise<void> => {
      try {
        await kysely.insertInto('users').values(toRow(account)).execute()
      } catch (error) {
        throw isUniqueViolation(error) ? new UserError('username-taken') : error
      }
    },

    /**
     * Sets a new password and ends all sessions; false, and nothing is done, when the password was changed
     * since `account` was read.
     */
    changePassword: (account: Account, passwordHash: string): Promise<boolean> =>
      inTransaction(database, async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('users')
          .set({ password_hash: passwordHash, password_version: account.passwordVersion + 1 })
          .where('id', '=', account.id)
          .where('password_version', '=', account.passwordVersion)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows === 0n) return false
        await endSessionsOf(trx, account.id)
        return true
      }),

    /** Stores the same password's hash made anew, unless the password was changed since. */
    renewHash: async (account: Account, passwordHash: string): Promise<void> => {
      await kysely
        .updateTable('users')
        .set({ password_hash: passwordHash })
        .where('id', '=', account.id)
        .where('password_version', '=', account.passwordVersion)
        .execute()
    },
  }
}

export type UsersStore = ReturnType<typeof usersStore>
