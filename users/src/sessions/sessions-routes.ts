import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { tooManyPasswordsResponse } from '../accounts/account-schemas.ts'
import { CredentialsBody, RefreshTokenBody, TokensSchema } from './session-schemas.ts'
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
          'Starts a session. Send the `accessToken` to all services as `Authorization: Bearer <accessToken>`. Before the access token expires, send the `refreshToken` to `POST /auth/refresh` to get new tokens. Responds 429 after too many wrong passwords for one account or from one address.',
        body: CredentialsBody,
        response: {
          200: response('The first tokens of the session', ref(TokensSchema)),
          401: problemResponse('`invalid-credentials`: unknown user or wrong password'),
          429: tooManyPasswordsResponse,
        },
      },
    },
    (request) => login(deps, request.body, request.ip, request.log),
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
          'Returns a new access token and a new refresh token. A refresh token can be used once. If a refresh token is used again, its session ends, because the token may have been stolen. A session also ends a fixed time after the login (30 days by default); a refresh does not extend the session.',
        body: RefreshTokenBody,
        response: {
          200: response('The next tokens of the session', ref(TokensSchema)),
          401: problemResponse('`invalid-refresh-token`: log in again'),
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
      await logout(deps, request.body.refreshToken)
      return reply.status(204).send(null)
    },
  )
}
