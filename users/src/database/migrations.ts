import { type Migrations, withTableOptions } from '@souk/service-kit/database/migrate'
import type { Kysely } from 'kysely'

const createIndex = (db: Kysely<unknown>, name: string, table: string, column: string) =>
  db.schema.createIndex(name).on(table).column(column).execute()

export const migrations: Migrations = (engine) => {
  const withOptions = withTableOptions(engine)
  return {
    '0001-accounts': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('users')
            .addColumn('id', 'char(36)', (column) => column.primaryKey())
            .addColumn('username', 'varchar(32)', (column) => column.notNull().unique())
            .addColumn('role', 'varchar(16)', (column) => column.notNull())
            .addColumn('password_hash', 'varchar(255)', (column) => column.notNull())
            .addColumn('password_version', 'integer', (column) => column.notNull())
            .addColumn('created_at', 'bigint', (column) => column.notNull()),
        ).execute()
        await withOptions(
          db.schema
            .createTable('user_sessions')
            .addColumn('id', 'char(36)', (column) => column.primaryKey())
            .addColumn('user_id', 'char(36)', (column) => column.notNull())
            .addColumn('started_at', 'bigint', (column) => column.notNull())
            .addColumn('ends_at', 'bigint', (column) => column.notNull())
            .addForeignKeyConstraint('user_sessions_user', ['user_id'], 'users', ['id'], (key) =>
              key.onDelete('cascade'),
            ),
        ).execute()
        await createIndex(db, 'user_sessions_of_user', 'user_sessions', 'user_id')
        await createIndex(db, 'user_sessions_by_end', 'user_sessions', 'ends_at')
        await withOptions(
          db.schema
            .createTable('refresh_tokens')
            .addColumn('token_hash', 'char(43)', (column) => column.primaryKey())
            .addColumn('session_id', 'char(36)', (column) => column.notNull())
            .addColumn('used_at', 'bigint')
            .addForeignKeyConstraint(
              'refresh_tokens_session',
              ['session_id'],
              'user_sessions',
              ['id'],
              (key) => key.onDelete('cascade'),
            ),
        ).execute()
        await createIndex(db, 'refresh_tokens_of_session', 'refresh_tokens', 'session_id')
      },
    },
    '0002-signing-keys': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('signing_keys')
            .addColumn('generation', 'integer', (column) => column.primaryKey())
            .addColumn('kid', 'varchar(64)', (column) => column.notNull().unique())
            .addColumn('private_jwk', 'text', (column) => column.notNull())
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addColumn('signs_from_at', 'bigint', (column) => column.notNull()),
        ).execute()
      },
    },
    '0003-login-throttle': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('login_attempts')
            .addColumn('bucket', 'varchar(100)', (column) => column.primaryKey())
            .addColumn('attempts', 'integer', (column) => column.notNull())
            .addColumn('expires_at', 'bigint', (column) => column.notNull()),
        ).execute()
        await createIndex(db, 'login_attempts_by_end', 'login_attempts', 'expires_at')
        await withOptions(
          db.schema
            .createTable('login_addresses')
            .addColumn('username', 'varchar(32)', (column) => column.notNull())
            .addColumn('network', 'varchar(45)', (column) => column.notNull())
            .addColumn('last_login_at', 'bigint', (column) => column.notNull())
            .addPrimaryKeyConstraint('login_addresses_key', ['username', 'network']),
        ).execute()
        await createIndex(db, 'login_addresses_by_time', 'login_addresses', 'last_login_at')
      },
    },
    '0004-pending-attempts': {
      up: async (db) => {
        await db.schema
          .alterTable('login_attempts')
          .addColumn('pending', 'integer', (column) => column.notNull().defaultTo(0))
          .execute()
      },
    },
    // The previous release adds sessions without these columns while both releases run, so the columns have defaults.
    '0005-session-family': {
      up: async (db) => {
        await db.schema.alterTable('user_sessions').addColumn('family_hash', 'char(43)').execute()
      },
    },
    '0006-session-family-index': {
      up: async (db) => {
        await db.schema
          .createIndex('user_sessions_by_family')
          .unique()
          .on('user_sessions')
          .column('family_hash')
          .execute()
      },
    },
    '0007-session-last-used': {
      up: async (db) => {
        await db.schema.alterTable('user_sessions').addColumn('last_used_at', 'bigint').execute()
      },
    },
    '0008-session-next-refresh': {
      up: async (db) => {
        await db.schema
          .alterTable('user_sessions')
          .addColumn('next_refresh_at', 'bigint', (column) => column.notNull().defaultTo(0))
          .execute()
      },
    },
    '0009-display-name': {
      up: async (db) => {
        await db.schema.alterTable('users').addColumn('display_name', 'varchar(60)').execute()
      },
    },
  }
}
