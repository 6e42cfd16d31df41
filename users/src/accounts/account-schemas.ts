import { problemResponse } from '@souk/service-kit/http/openapi'
import { type Static, Type } from 'typebox'
import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH, WELL_FORMED } from '../passwords/password-rules.ts'

const ROLES = ['BUYER', 'SELLER'] as const
export type Role = (typeof ROLES)[number]

const RoleSchema = Type.Enum(ROLES, {
  description: 'Buyers place orders and sellers list products. The role cannot be changed later.',
})

export const UsernameSchema = Type.String({
  minLength: 3,
  maxLength: 32,
  pattern: '^[a-z0-9][a-z0-9._-]*$',
  description:
    '3 to 32 characters from a-z, 0-9, `-`, `_` and `.`. The first character is a letter or a digit.',
})

/** Control characters, line separators, halves of surrogate pairs, and characters that change the direction of text. */
const INVISIBLE = '\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff'

const DISPLAY_NAME =
  'The name that other users see: 1 to 60 characters without line breaks and control characters. Spaces at the start and the end are removed.'
const DisplayNameSchema = Type.String({
  minLength: 1,
  maxLength: 60,
  pattern: `^[^${INVISIBLE}]*[^\\s${INVISIBLE}][^${INVISIBLE}]*$`,
  description: DISPLAY_NAME,
})

const NewPasswordSchema = Type.String({
  minLength: PASSWORD_MIN_LENGTH,
  maxLength: PASSWORD_MAX_LENGTH,
  pattern: WELL_FORMED,
  description: `${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} Unicode characters of any kind. Passwords that are easy to guess are rejected.`,
})

/** A password that is compared with the stored hash. It may be shorter than a new password. */
export const CurrentPasswordSchema = Type.String({
  minLength: 1,
  maxLength: PASSWORD_MAX_LENGTH,
  pattern: WELL_FORMED,
})

export const UserSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    username: UsernameSchema,
    displayName: Type.String({ description: 'The name that other users see' }),
    role: RoleSchema,
    createdAt: Type.String({ format: 'date-time' }),
  },
  {
    $id: 'User',
    examples: [
      {
        id: '01980a3e-7c1b-7d2f-9a54-3f6b1c2d4e5f',
        username: 'ada',
        displayName: 'Ada',
        role: 'BUYER',
        createdAt: '2026-01-31T12:00:00.000Z',
      },
    ],
  },
)
export type User = Static<typeof UserSchema>

export const NewUserBody = Type.Object(
  {
    username: UsernameSchema,
    password: NewPasswordSchema,
    role: RoleSchema,
    displayName: Type.Optional({
      ...DisplayNameSchema,
      description: `${DISPLAY_NAME} By default, the username.`,
    }),
  },
  {
    additionalProperties: false,
    examples: [{ username: 'ada', password: 'nine green lanterns', role: 'BUYER' }],
  },
)
export type NewUser = Static<typeof NewUserBody>

export const ProfileChangeBody = Type.Object(
  { displayName: DisplayNameSchema },
  { additionalProperties: false, examples: [{ displayName: 'Ada Lights' }] },
)

export const SellerSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    displayName: Type.String(),
    createdAt: Type.String({ format: 'date-time', description: 'When the seller registered' }),
  },
  { $id: 'Seller' },
)
export type Seller = Static<typeof SellerSchema>

export const PasswordChangeBody = Type.Object(
  { currentPassword: CurrentPasswordSchema, newPassword: NewPasswordSchema },
  {
    additionalProperties: false,
    examples: [{ currentPassword: 'nine green lanterns', newPassword: 'ten blue lanterns' }],
  },
)
export type PasswordChange = Static<typeof PasswordChangeBody>

export const tooManyAttempts = (description: string) => ({
  ...problemResponse(`\`too-many-attempts\`: ${description}`),
  headers: {
    'Retry-After': Type.Integer({ description: 'Seconds to wait before the next attempt' }),
  },
})

export const tooManyPasswordsResponse = tooManyAttempts(
  'too many wrong passwords for this account, too many logins from this address, or too many concurrent attempts',
)
export const tooManyRegistrationsResponse = tooManyAttempts('too many registrations from this address')
