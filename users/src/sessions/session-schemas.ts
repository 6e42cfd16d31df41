import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { CurrentPasswordSchema, UsernameSchema, UserSchema } from '../accounts/account-schemas.ts'

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

export const CredentialsBody = Type.Object(
  { username: UsernameSchema, password: CurrentPasswordSchema },
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
    examples: [{ refreshToken: 'pXJx2cV4v0d9QmH0sYp3mQ3nV1c8Jr6fT5kWbZ7aLuE' }],
  },
)
