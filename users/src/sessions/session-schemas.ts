import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { CurrentPasswordSchema, UserSchema } from '../accounts/account-schemas.ts'

export const TokensSchema = Type.Object(
  {
    accessToken: Type.String({ description: 'A JWT for `Authorization: Bearer <accessToken>`' }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
    refreshToken: Type.String({ description: 'Send this once to `POST /auth/refresh` to get new tokens' }),
    user: ref(UserSchema),
  },
  { $id: 'Tokens' },
)
export type Tokens = Static<typeof TokensSchema>

export const SessionSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    createdAt: Type.String({ format: 'date-time', description: 'The time of the login' }),
    lastUsedAt: Type.String({
      format: 'date-time',
      description: 'The time of the last refresh, or of the login',
    }),
    current: Type.Boolean({
      description: 'Whether the access token of this request belongs to this session',
    }),
  },
  {
    $id: 'Session',
    examples: [
      {
        id: '01980a3e-7c1b-7d2f-9a54-3f6b1c2d4e5f',
        createdAt: '2026-01-31T12:00:00.000Z',
        lastUsedAt: '2026-02-01T08:30:00.000Z',
        current: true,
      },
    ],
  },
)
export type Session = Static<typeof SessionSchema>

export const SessionsSchema = Type.Object(
  { items: Type.Array(ref(SessionSchema), { maxItems: 200 }) },
  { $id: 'Sessions' },
)

export const SessionIdParams = Type.Object({ id: Type.String({ format: 'uuid' }) })

const LoginNameSchema = Type.String({
  maxLength: 64,
  pattern: '^\\s*[A-Za-z0-9][A-Za-z0-9._-]*\\s*$',
  description: 'The username. Capital letters, and spaces before and after the name, are ignored.',
})

export const CredentialsBody = Type.Object(
  { username: LoginNameSchema, password: CurrentPasswordSchema },
  { additionalProperties: false, examples: [{ username: 'user-1', password: 'password' }] },
)
export type Credentials = Static<typeof CredentialsBody>

const RefreshTokenSchema = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'The `refreshToken` from the login or the last refresh',
})

export const RefreshTokenBody = Type.Object(
  { refreshToken: RefreshTokenSchema },
  {
    additionalProperties: false,
    examples: [{ refreshToken: 'vQ1c8Jr6fT5kWbZ7aLuE4w.pXJx2cV4v0d9QmH0sYp3mQ3nV1c8Jr6fT5kWbZ7aLuE' }],
  },
)
