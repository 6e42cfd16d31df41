import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { clientOf } from '../passwords/hashing-gate.ts'
import {
  NewUserBody,
  PasswordChangeBody,
  ProfileChangeBody,
  SellerSchema,
  tooManyPasswordsResponse,
  tooManyRegistrationsResponse,
  UserSchema,
} from './account-schemas.ts'
import {
  type AccountsDeps,
  changePassword,
  findSeller,
  getCurrentUser,
  registerUser,
  renameUser,
} from './accounts.ts'

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
          'Creates an account for a buyer or a seller. The password has 8 to 128 characters of any kind and must not be easy to guess (`password-too-common`). Responds 429 after too many registrations from one address.',
        body: NewUserBody,
        response: {
          201: response('The new user', ref(UserSchema)),
          409: problemResponse('`username-taken`: another user has this username'),
          429: tooManyRegistrationsResponse,
        },
      },
    },
    async (request, reply) => {
      const user = await registerUser(deps, request.body, clientOf(request, reply), request.log)
      return reply.status(201).send(user)
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

  app.patch(
    '/users/me',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'renameUser',
        tags: ['users'],
        summary: 'Change the name that others see',
        description: 'Changes `displayName`. The username and the role cannot be changed.',
        body: ProfileChangeBody,
        response: { 200: response('The changed user', ref(UserSchema)) },
      },
    },
    (request) => renameUser(deps, callerOf(request).id, request.body.displayName, request.log),
  )

  app.get(
    '/sellers/:id',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'findSeller',
        tags: ['users'],
        summary: 'Get a seller',
        description:
          'Returns the public data of a seller. Responds 404 to the id of a buyer, as to an unknown id.',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        response: {
          200: response('The seller', ref(SellerSchema)),
          404: problemResponse('`seller-not-found`: there is no seller with this id'),
        },
      },
    },
    (request) => findSeller(deps, request.params.id),
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
          'Sets a new password and ends all sessions of the user, including the current one. All refresh tokens of the user are rejected from then on, so log in again with the new password. Access tokens stay valid until they expire (by default 15 minutes after they were issued). Responds 429 after too many wrong values of `currentPassword` in the session of the access token.',
        body: PasswordChangeBody,
        response: {
          204: Type.Null({ description: 'The password is changed' }),
          403: problemResponse('`wrong-password`: `currentPassword` is wrong'),
          429: tooManyPasswordsResponse,
        },
      },
    },
    async (request, reply) => {
      await changePassword(deps, callerOf(request), request.body, clientOf(request, reply), request.log)
      return reply.status(204).send(null)
    },
  )
}
