import type { Selectable } from 'kysely'
import type { Tables } from '../database/migrations.ts'
import type { Role, User } from '../schemas.ts'

/** A user as this service knows them; what others see of it is `User`. */
export interface Account {
  id: string
  username: string
  role: Role
  passwordHash: string
  passwordVersion: number
  createdAt: number
}

export const toUser = ({ id, username, role, createdAt }: Account): User => ({
  id,
  username,
  role,
  createdAt: new Date(createdAt).toISOString(),
})

export const toRow = (account: Account): Tables['users'] => ({
  id: account.id,
  username: account.username,
  role: account.role,
  password_hash: account.passwordHash,
  password_version: account.passwordVersion,
  created_at: account.createdAt,
})

export const toAccount = (row: Selectable<Tables['users']>): Account => ({
  id: row.id,
  username: row.username,
  role: row.role as Role,
  passwordHash: row.password_hash,
  passwordVersion: row.password_version,
  createdAt: row.created_at,
})
