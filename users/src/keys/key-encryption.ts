import { createHash } from 'node:crypto'
import { ConfigError } from '@souk/service-kit/process/config'
import { CompactEncrypt, compactDecrypt } from 'jose'

/** Converts private keys to the form in which the database stores them, and back. */
export interface KeyEncryption {
  encrypt(privateJwk: string): Promise<string>
  /** @throws ConfigError if the key is encrypted and the secret is missing or wrong */
  decrypt(stored: string): Promise<string>
  /** Whether a stored key would be stored in another form now. */
  isOutdated(stored: string): boolean
}

/** An encrypted key is a compact JWE (RFC 7516), which contains no braces. */
const isPlain = (stored: string) => stored.startsWith('{')

/**
 * Encrypts private keys with AES-256-GCM, so that a copy of the database does not contain them. Keys that were stored
 * without encryption stay readable.
 *
 * @param secret 32 characters or more, random; without a secret, keys are not encrypted
 */
export function keyEncryption(secret?: string): KeyEncryption {
  // The secret is random, so a fast hash is enough to derive a key of 256 bits.
  const key = secret === undefined ? undefined : createHash('sha256').update(secret).digest()
  return {
    encrypt: async (privateJwk) =>
      key
        ? new CompactEncrypt(Buffer.from(privateJwk))
            .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
            .encrypt(key)
        : privateJwk,

    async decrypt(stored) {
      if (isPlain(stored)) return stored
      if (!key) {
        throw new ConfigError(
          'The signing keys in the database are encrypted: set SIGNING_KEYS_SECRET or SIGNING_KEYS_SECRET_FILE',
        )
      }
      const { plaintext } = await compactDecrypt(stored, key).catch((cause: unknown) => {
        throw new ConfigError(WRONG_SECRET, { cause })
      })
      return Buffer.from(plaintext).toString()
    },

    isOutdated: (stored) => key !== undefined && isPlain(stored),
  }
}

const WRONG_SECRET =
  'SIGNING_KEYS_SECRET is not the secret with which the signing keys in the database were encrypted'
