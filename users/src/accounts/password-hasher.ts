import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** The cost of one hash. The settings default to 46 MiB and one pass (OWASP ASVS 5.0, appendix C). */
export interface Argon2Cost {
  memoryKiB: number
  passes: number
}

export interface PasswordHasher {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
  /** Returns whether `hash` was made at a lower cost than new hashes. */
  isOutdated(hash: string): boolean
  /** A hash that matches no password. `verify` takes as long with this hash as with a real one. */
  readonly decoy: string
}

const NONCE_BYTES = 16
const TAG_BYTES = 32
const derive = promisify(argon2)

/**
 * Hashes passwords with Argon2id. RFC 9106 calls the salt the nonce, and the output the tag. A stored hash is a PHC
 * string, which contains its cost, the nonce and the tag.
 */
export function argon2Hasher(cost: Argon2Cost): PasswordHasher {
  return {
    async hash(password) {
      const nonce = randomBytes(NONCE_BYTES)
      const tag = await computeTag(password, { ...cost, parallelism: 1, nonce }, TAG_BYTES)
      return toPhc(cost, nonce, tag)
    },
    async verify(password, hash) {
      const { tag, ...parameters } = fromPhc(hash)
      return timingSafeEqual(tag, await computeTag(password, parameters, tag.length))
    },
    isOutdated(hash) {
      const { memoryKiB, passes, tag } = fromPhc(hash)
      return memoryKiB < cost.memoryKiB || passes < cost.passes || tag.length < TAG_BYTES
    },
    decoy: toPhc(cost, randomBytes(NONCE_BYTES), randomBytes(TAG_BYTES)),
  }
}

interface Parameters extends Argon2Cost {
  parallelism: number
  nonce: Buffer
}

/** Normalizes the password to NFC (RFC 8265, section 4.2), because devices encode the same letter in different ways. */
const computeTag = (
  password: string,
  { memoryKiB, ...parameters }: Parameters,
  tagLength: number,
): Promise<Buffer> =>
  derive('argon2id', { message: password.normalize('NFC'), memory: memoryKiB, tagLength, ...parameters })

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')

const toPhc = ({ memoryKiB, passes }: Argon2Cost, nonce: Buffer, tag: Buffer) =>
  `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${base64(nonce)}$${base64(tag)}`

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/

function fromPhc(hash: string) {
  const [, memoryKiB, passes, parallelism, nonce, tag] = PHC.exec(hash) ?? []
  if (nonce === undefined || tag === undefined)
    throw new Error('A stored password hash is not an Argon2id PHC string')
  return {
    memoryKiB: Number(memoryKiB),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(nonce, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}
