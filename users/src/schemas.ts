import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from './accounts/password-rules.ts'

const CLOSED = { additionalProperties: false }

const ROLES = ['BUYER', 'SELLER'] as const
export type Role = (typeof ROLES)[number]

const RoleSchema = Type.Enum(ROLES, {
  description: 'What the user may do: buyers order, sellers sell. It cannot be changed later',
})

const UsernameSchema = Type.String({
  minLength: 3,
  maxLength: 32,
  pattern: '^[a-z0-9][a-z0-9._-]*$',
  description: '3 to 32 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit',
})

const NewPasswordSchema = Type.String({
  minLength: PASSWORD_MIN_LENGTH,
  maxLength: PASSWORD_MAX_LENGTH,
  description: `${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} Unicode characters of any kind; the most common passwords are refused`,
})

/** What is compared, not stored: only its length is limited. */
const GivenPasswordSchema = Type.String({ minLength: 1, maxLength: PASSWORD_MAX_LENGTH })

const RefreshTokenSchema = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'As a login or the last refresh gave it; opaque',
})

const USER = {
  id: '01980a3e-7c1b-7d2f-9a54-3f6b1c2d4e5f',
  username: 'ada',
  role: 'BUYER' as const,
  createdAt: '2026-01-31T12:00:00.000Z',
}

export const UserSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    username: UsernameSchema,
    role: RoleSchema,
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'User', examples: [USER] },
)
export type User = Static<typeof UserSchema>

export const TokensSchema = Type.Object(
  {
    accessToken: Type.String({ description: 'A JWT for `Authorization: Bearer <accessToken>`' }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
    refreshToken: Type.String({ description: 'For one use at `POST /auth/refresh`' }),
    user: ref(UserSchema),
  },
  { $id: 'Tokens' },
)
export type Tokens = Static<typeof TokensSchema>

/** Lists the members of a public key (RFC 8037): the serializer lets no other pass. */
export const JsonWebKeySetSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object({
        kty: Type.Literal('OKP'),
        crv: Type.Literal('Ed25519'),
        x: Type.String(),
        kid: Type.String(),
        alg: Type.Literal('EdDSA'),
        use: Type.Literal('sig'),
      }),
    ),
  },
  { $id: 'JsonWebKeySet', description: 'Public keys, as RFC 7517 has them' },
)
export type JsonWebKeySet = Static<typeof JsonWebKeySetSchema>

export const NewUserBody = Type.Object(
  { username: UsernameSchema, password: NewPasswordSchema, role: RoleSchema },
  { ...CLOSED, examples: [{ username: 'ada', password: 'nine green lanterns', role: 'BUYER' }] },
)

export const CredentialsBody = Type.Object(
  { username: UsernameSchema, password: GivenPasswordSchema },
  { ...CLOSED, examples: [{ username: 'user-1', password: 'password' }] },
)

export const RefreshTokenBody = Type.Object(
  { refreshToken: RefreshTokenSchema },
  { ...CLOSED, examples: [{ refreshToken: 'pXJx2cV4v0d9QmH0sYp3mQ3nV1c8Jr6fT5kWbZ7aLuE' }] },
)

export const PasswordChangeBody = Type.Object(
  { currentPassword: GivenPasswordSchema, newPassword: NewPasswordSchema },
  { ...CLOSED, examples: [{ currentPassword: 'nine green lanterns', newPassword: 'ten blue lanterns' }] },
)

/** The answer to whom the throttle stops. */
const tooMany = (what: string) => ({
  ...problemResponse(`\`too-many-attempts\`: ${what}`),
  headers: {
    'Retry-After': Type.Integer({ description: 'Seconds to wait before the next attempt' }),
  },
})

export const tooManyAttemptsResponse = tooMany(
  'too many wrong passwords, by account or by address, or too many at once to tell yet',
)
export const tooManyRegistrationsResponse = tooMany('too many registrations from this address')
