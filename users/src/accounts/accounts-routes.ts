import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import {
  NewUserBody,
  PasswordChangeBody,
  tooManyAttemptsResponse,
  tooManyRegistrationsResponse,
  UserSchema,
} from '../schemas.ts'
import { type AccountsDeps, changePassword, getCurrentUser, registerUser } from './accounts.ts'
import { passwordFault } from './password-rules.ts'

export function registerUsersRoutes(app: App, deps: AccountsDeps): void {
  app.post(
    '/users',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'registerUser',
        tags: ['users'],
        summary: 'Register',
        description:
          'Makes an account, as a buyer or as a seller. The password may be any text of 8 to 128 characters that is not among the most common ones (`password-too-common`). Many registrations from one address are answered 429.',
        body: NewUserBody,
        response: {
          201: response('The new user', ref(UserSchema)),
          409: problemResponse('`username-taken`: somebody else has this username'),
          429: tooManyRegistrationsResponse,
        },
      },
    },
    async (request, reply) => {
      await refusePoorPassword(request.body.password, '#/password')
      const registration = { ...request.body, address: request.ip }
      return reply.status(201).send(await registerUser(deps, registration, request.log))
    },
  )

  app.get(
    '/users/me',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'getCurrentUser',
        tags: ['users'],
        summary: 'Who am I?',
        description: 'The user whose access token this is, as the database has them now.',
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
          'Sets a new password and ends all sessions of the user: every refresh token is refused from then on, the one of this session too, so log in again with the new password. Access tokens that are out already stay valid until they expire, minutes later. Too many wrong values of `currentPassword` are answered 429.',
        body: PasswordChangeBody,
        response: {
          204: Type.Null({ description: 'The password is changed' }),
          403: problemResponse('`wrong-password`: `currentPassword` is wrong'),
          429: tooManyAttemptsResponse,
        },
      },
    },
    async (request, reply) => {
      await refusePoorPassword(request.body.newPassword, '#/newPassword')
      await changePassword(deps, { userId: callerOf(request).id, ...request.body }, request.log)
      return reply.status(204).send(null)
    },
  )
}

/** @throws HttpProblem 400, pointing at the password */
async function refusePoorPassword(password: string, pointer: string): Promise<void> {
  const fault = await passwordFault(password)
  if (!fault) return
  throw new HttpProblem(400, fault.code, `The password ${fault.detail}.`, {
    errors: [{ pointer, in: 'body', detail: fault.detail }],
  })
}
