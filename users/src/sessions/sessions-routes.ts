import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { tooManyAttempts, tooManyPasswordsResponse } from '../accounts/account-schemas.ts'
import { clientOf } from '../passwords/hashing-gate.ts'
import { endOtherSessions, endSession, listSessions } from './own-sessions.ts'
import {
  CredentialsBody,
  RefreshTokenBody,
  SessionIdParams,
  SessionsSchema,
  TokensSchema,
} from './session-schemas.ts'
import { login, logout, refreshTokens, type SessionsDeps } from './sessions.ts'

export function registerSessionsRoutes(app: App, deps: SessionsDeps): void {
  app.post(
    '/auth/login',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'login',
        tags: ['auth'],
        summary: 'Log in',
        description:
          'Starts a session. Send the `accessToken` to all services as `Authorization: Bearer <accessToken>`. Before the access token expires, send the `refreshToken` to `POST /auth/refresh` to get new tokens. Responds 429 after too many wrong passwords for one account, or too many logins from one address.',
        body: CredentialsBody,
        response: {
          200: response('The first tokens of the session', ref(TokensSchema)),
          401: problemResponse('`invalid-credentials`: unknown user or wrong password'),
          429: tooManyPasswordsResponse,
        },
      },
    },
    (request, reply) => login(deps, request.body, clientOf(request, reply), request.log),
  )

  app.post(
    '/auth/refresh',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'refreshTokens',
        tags: ['auth'],
        summary: 'Get new tokens',
        description:
          'Returns a new access token and a new refresh token. A refresh token can be used once. If a refresh token is used again, its session ends, because the token may have been stolen. A session also ends a fixed time after the login (30 days by default); a refresh does not extend the session. A session can be refreshed 10 times at once, and then every 6 seconds.',
        body: RefreshTokenBody,
        response: {
          200: response('The next tokens of the session', ref(TokensSchema)),
          401: problemResponse('`invalid-refresh-token`: log in again'),
          429: tooManyAttempts('too many refreshes of this session; the refresh token stays valid'),
        },
      },
    },
    (request) => refreshTokens(deps, request.body.refreshToken, request.log),
  )

  app.post(
    '/auth/logout',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'logout',
        tags: ['auth'],
        summary: 'Log out',
        description:
          'Ends the session of the given refresh token. The session can no longer be refreshed. The access tokens of the session stay valid until they expire (by default 15 minutes after they were issued). Also responds 204 if the session has already ended or the token is unknown.',
        body: RefreshTokenBody,
        response: { 204: Type.Null({ description: 'The session has ended' }) },
      },
    },
    async (request, reply) => {
      await logout(deps, request.body.refreshToken, request.log)
      return reply.status(204).send(null)
    },
  )

  app.get(
    '/auth/sessions',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'listSessions',
        tags: ['auth'],
        summary: 'List own sessions',
        description:
          'Returns the active sessions of the user, newest first. A user has at most 100 sessions; a further login ends the oldest one. An access token whose session has ended is rejected.',
        response: { 200: response('The sessions', ref(SessionsSchema)) },
      },
    },
    async (request) => ({ items: await listSessions(deps, callerOf(request)) }),
  )

  app.delete(
    '/auth/sessions',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'endOtherSessions',
        tags: ['auth'],
        summary: 'End all other sessions',
        description:
          'Ends all sessions of the user except the session of the access token. Access tokens of the ended sessions stay valid until they expire (by default 15 minutes after they were issued), but can no longer list or end sessions.',
        response: { 204: Type.Null({ description: 'The other sessions have ended' }) },
      },
    },
    async (request, reply) => {
      await endOtherSessions(deps, callerOf(request), request.log)
      return reply.status(204).send(null)
    },
  )

  app.delete(
    '/auth/sessions/:id',
    {
      config: { access: 'user' },
      schema: {
        operationId: 'endSession',
        tags: ['auth'],
        summary: 'End a session',
        description:
          'Ends one session of the user, for example that of a lost device. The session can no longer be refreshed.',
        params: SessionIdParams,
        response: {
          204: Type.Null({ description: 'The session has ended' }),
          404: problemResponse('`session-not-found`: the user has no active session with this id'),
        },
      },
    },
    async (request, reply) => {
      // UUIDs are not case-sensitive (RFC 9562, section 4).
      await endSession(deps, callerOf(request), request.params.id.toLowerCase(), request.log)
      return reply.status(204).send(null)
    },
  )
}
