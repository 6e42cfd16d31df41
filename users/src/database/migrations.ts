import { inEngineStyle, type Migrations } from '@souk/service-kit/database/migrate'
import type { Generated } from 'kysely'

/** Times are milliseconds since 1970, UTC. */
export interface Tables {
  users: {
    id: string
    username: string
    role: string
    /** In PHC string format. */
    password_hash: string
    /** Counts the changes of the password, so that a login with the one before cannot overtake a change. */
    password_version: number
    created_at: number
  }
  /** What a login starts: the family of refresh tokens that follow from it. */
  user_sessions: { id: string; user_id: string; started_at: number; ends_at: number }
  refresh_tokens: { token_hash: string; session_id: string; used_at: number | null }
  signing_keys: {
    /** 1, 2, 3...: its uniqueness decides who of several replicas made a key. */
    generation: number
    kid: string
    /** As it is: encryption at rest is the business of the database or of a KMS below it. */
    private_jwk: string
    created_at: number
    signs_from_at: number
  }
  login_attempts: {
    bucket: string
    /** Those that are pending too. */
    attempts: number
    /** Counted, and not yet known to be right or wrong. */
    pending: Generated<number>
    expires_at: number
  }
  login_addresses: { username: string; network: string; last_login_at: number }
}

export const migrations: Migrations = (engine) => {
  const style = inEngineStyle(engine)
  return {
    '0001-accounts': {
      up: async (db) => {
        await style(
          db.schema
            .createTable('users')
            .addColumn('id', 'char(36)', (column) => column.primaryKey())
            .addColumn('username', 'varchar(32)', (column) => column.notNull().unique())
            .addColumn('role', 'varchar(16)', (column) => column.notNull())
            .addColumn('password_hash', 'varchar(255)', (column) => column.notNull())
            .addColumn('password_version', 'integer', (column) => column.notNull())
            .addColumn('created_at', 'bigint', (column) => column.notNull()),
        ).execute()
        await style(
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
        await db.schema.createIndex('user_sessions_of_user').on('user_sessions').column('user_id').execute()
        await db.schema.createIndex('user_sessions_by_end').on('user_sessions').column('ends_at').execute()
        await style(
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
        await db.schema
          .createIndex('refresh_tokens_of_session')
          .on('refresh_tokens')
          .column('session_id')
          .execute()
      },
    },
    '0002-signing-keys': {
      up: async (db) => {
        await style(
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
        await style(
          db.schema
            .createTable('login_attempts')
            .addColumn('bucket', 'varchar(100)', (column) => column.primaryKey())
            .addColumn('attempts', 'integer', (column) => column.notNull())
            .addColumn('expires_at', 'bigint', (column) => column.notNull()),
        ).execute()
        await db.schema
          .createIndex('login_attempts_by_end')
          .on('login_attempts')
          .column('expires_at')
          .execute()
        await style(
          db.schema
            .createTable('login_addresses')
            .addColumn('username', 'varchar(32)', (column) => column.notNull())
            .addColumn('network', 'varchar(45)', (column) => column.notNull())
            .addColumn('last_login_at', 'bigint', (column) => column.notNull())
            .addPrimaryKeyConstraint('login_addresses_key', ['username', 'network']),
        ).execute()
        await db.schema
          .createIndex('login_addresses_by_time')
          .on('login_addresses')
          .column('last_login_at')
          .execute()
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
  }
}
