import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** The cost of one hash. The default settings are 46 MiB and one pass (OWASP ASVS 5.0, appendix C). */
export interface Argon2Cost {
  memoryKiB: number
  passes: number
}

export interface PasswordHasher {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
  /** Returns whether new hashes have a higher cost than `hash`. */
  isOutdated(hash: string): boolean
  /**
   * A hash that matches no password. A login of an unknown user verifies the password with this hash, so that the login
   * takes as long as the login of a known user.
   */
  readonly decoy: string
}

const SALT_BYTES = 16
const TAG_BYTES = 32

/** Computes Argon2id (RFC 9106). */
export type Derive = (parameters: Argon2Parameters) => Promise<Buffer>

const deriveInThreadPool: Derive = (parameters) => promisify(argon2)('argon2id', parameters)

/**
 * Hashes passwords with Argon2id. A stored hash is a string in PHC format. It contains the cost, the salt and the tag,
 * which is the output of Argon2id.
 *
 * @param derive uses a thread of Node's thread pool by default; a server uses `passwordThreads` instead
 */
export function argon2Hasher(cost: Argon2Cost, derive = deriveInThreadPool): PasswordHasher {
  /**
   * Computes the tag of a password. Normalizes the password to NFC first (RFC 8265, section 4.2), because devices
   * encode the same letter in different ways.
   */
  const computeTag = (
    password: string,
    { memoryKiB, salt, ...parameters }: Parameters,
    tagLength: number,
  ): Promise<Buffer> =>
    derive({ message: password.normalize('NFC'), memory: memoryKiB, nonce: salt, tagLength, ...parameters })

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES)
      const tag = await computeTag(password, { ...cost, parallelism: 1, salt }, TAG_BYTES)
      return toPhc(cost, salt, tag)
    },
    async verify(password, hash) {
      const { tag, ...parameters } = fromPhc(hash)
      return timingSafeEqual(tag, await computeTag(password, parameters, tag.length))
    },
    isOutdated(hash) {
      const { memoryKiB, passes, tag } = fromPhc(hash)
      return memoryKiB < cost.memoryKiB || passes < cost.passes || tag.length < TAG_BYTES
    },
    decoy: toPhc(cost, randomBytes(SALT_BYTES), randomBytes(TAG_BYTES)),
  }
}

interface Parameters extends Argon2Cost {
  parallelism: number
  salt: Buffer
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')

const toPhc = ({ memoryKiB, passes }: Argon2Cost, salt: Buffer, tag: Buffer) =>
  `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${base64(salt)}$${base64(tag)}`

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/

function fromPhc(hash: string) {
  const [, memoryKiB, passes, parallelism, salt, tag] = PHC.exec(hash) ?? []
  if (salt === undefined || tag === undefined)
    throw new Error('A stored password hash is not an Argon2id PHC string')
  return {
    memoryKiB: Number(memoryKiB),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}
