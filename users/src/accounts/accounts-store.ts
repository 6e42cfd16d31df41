import type { Database } from '@souk/service-kit/database/database'
import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Insertable, Selectable } from 'kysely'
import { SESSION_ENDED, type Tables } from '../database/tables.ts'
import { UserError } from '../errors.ts'

/** A row of the users table. The API returns only the fields of `User`. */
export type Account = Selectable<Tables['users']>

export function accountsStore(database: Database<Tables>) {
  const { kysely, reads } = database
  const find = (column: 'id' | 'username', value: string): Promise<Account | undefined> =>
    reads.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
  return {
    findById: (id: string) => find('id', id),
    findByUsername: (username: string) => find('username', username),

    /** Adds an account. Throws UserError `username-taken` if another account has this username. */
    add: async (account: Insertable<Tables['users']>): Promise<void> => {
      try {
        await kysely.insertInto('users').values(account).execute()
      } catch (error) {
        throw isUniqueViolation(error) ? new UserError('username-taken') : error
      }
    },

    rename: async (id: string, displayName: string): Promise<void> => {
      await kysely.updateTable('users').set({ display_name: displayName }).where('id', '=', id).execute()
    },

    /**
     * Stores a new password hash and ends all sessions of the account. If the password has changed since the account
     * was read, changes nothing and returns false.
     */
    changePassword: ({ id, password_version }: Account, passwordHash: string): Promise<boolean> =>
      inTransaction(database, async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('users')
          .set({ password_hash: passwordHash, password_version: password_version + 1 })
          .where('id', '=', id)
          .where('password_version', '=', password_version)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows === 0n) return false
        // SESSION_ENDED is the timestamp 0, so `>` selects the sessions that were not ended early.
        await trx
          .updateTable('user_sessions')
          .set({ ends_at: SESSION_ENDED })
          .where('user_id', '=', id)
          .where('ends_at', '>', SESSION_ENDED)
          .execute()
        return true
      }),

    /**
     * Stores a new hash of the same password. If the password has changed since the account was read, changes nothing.
     */
    renewHash: async ({ id, password_version }: Account, passwordHash: string): Promise<void> => {
      await kysely
        .updateTable('users')
        .set({ password_hash: passwordHash })
        .where('id', '=', id)
        .where('password_version', '=', password_version)
        .execute()
    },
  }
}

export type AccountsStore = ReturnType<typeof accountsStore>
