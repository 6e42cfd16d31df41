import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import {
  NewUserBody,
  PasswordChangeBody,
  tooManyPasswordsResponse,
  tooManyRegistrationsResponse,
  UserSchema,
} from './account-schemas.ts'
import { type AccountsDeps, changePassword, getCurrentUser, registerUser } from './accounts.ts'
import { findPasswordFault } from './password-rules.ts'

export function registerAccountsRoutes(app: App, deps: AccountsDeps): void {
  app.post(
    '/users',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'registerUser',
        tags: ['users'],
        summary: 'Register',
        description:
          'Creates an account for a buyer or a seller. The password has 8 to 128 characters of any kind and must not be one of the most common passwords (`password-too-common`). Responds 429 after too many registrations from one address.',
        body: NewUserBody,
        response: {
          201: response('The new user', ref(UserSchema)),
          409: problemResponse('`username-taken`: another user has this username'),
          429: tooManyRegistrationsResponse,
        },
      },
    },
    async (request, reply) => {
      await rejectWeakPassword(request.body.password, '#/password')
      return reply.status(201).send(await registerUser(deps, request.body, request.ip, request.log))
    },
  )

  app.get(
    '/users/me',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'getCurrentUser',
        tags: ['users'],
        summary: 'Get the current user',
        description:
          'Returns the user of the access token. The data comes from the database and may be newer than the data in the token.',
        response: { 200: response('The user', ref(UserSchema)) },
      },
    },
    (request) => getCurrentUser(deps, callerOf(request).id),
  )

  app.put(
    '/users/me/password',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'changePassword',
        tags: ['users'],
        summary: 'Change the password',
        description:
          'Sets a new password and ends all sessions of the user, including the current one. All refresh tokens of the user are rejected from then on, so log in again with the new password. Access tokens stay valid until they expire (by default 15 minutes after they were issued). Responds 429 after too many wrong values of `currentPassword`.',
        body: PasswordChangeBody,
        response: {
          204: Type.Null({ description: 'The password is changed' }),
          403: problemResponse('`wrong-password`: `currentPassword` is wrong'),
          429: tooManyPasswordsResponse,
        },
      },
    },
    async (request, reply) => {
      await rejectWeakPassword(request.body.newPassword, '#/newPassword')
      await changePassword(deps, callerOf(request).id, request.body, request.log)
      return reply.status(204).send(null)
    },
  )
}

/** Throws HttpProblem 400 if the password breaks a rule. `pointer` is the JSON pointer of the password field. */
async function rejectWeakPassword(password: string, pointer: string): Promise<void> {
  const fault = await findPasswordFault(password)
  if (!fault) return
  throw new HttpProblem(400, fault.code, `The password ${fault.detail}.`, {
    errors: [{ pointer, in: 'body', detail: fault.detail }],
  })
}
