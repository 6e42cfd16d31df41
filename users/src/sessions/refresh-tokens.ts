import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits: a plain hash is enough to store them by, since nobody can try them out. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url')

/** How a refresh token is known in the database: its SHA-256, in 43 characters. */
export const refreshTokenHash = (token: string): string =>
  createHash('sha256').update(token).digest('base64url')
