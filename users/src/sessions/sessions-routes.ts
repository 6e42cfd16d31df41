import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { CredentialsBody, RefreshTokenBody, TokensSchema, tooManyAttemptsResponse } from '../schemas.ts'
import { login, logout, refreshTokens, type SessionsDeps } from './sessions.ts'

export function registerAuthRoutes(app: App, deps: SessionsDeps): void {
  app.post(
    '/auth/login',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'login',
        tags: ['auth'],
        summary: 'Log in',
        description:
          'Starts a session. Send the `accessToken` as `Authorization: Bearer <accessToken>` to all services; before it expires, get the next one with the `refreshToken`. Many wrong attempts, by account or by address, are answered 429.',
        body: CredentialsBody,
        response: {
          200: response('The session’s first tokens', ref(TokensSchema)),
          401: problemResponse('`invalid-credentials`: unknown user or wrong password'),
          429: tooManyAttemptsResponse,
        },
      },
    },
    (request) => login(deps, { ...request.body, address: request.ip }, request.log),
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
          'Answers a new pair of tokens and uses up the refresh token. A refresh token that comes a second time may have been stolen: its whole session ends. A session also ends by itself some time after its login (30 days unless configured), however often it is refreshed.',
        body: RefreshTokenBody,
        response: {
          200: response('The session’s next tokens', ref(TokensSchema)),
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
          'Ends the session of this refresh token: it cannot be refreshed any more. Its access token stays valid until it expires, minutes later. Succeeds also when there is no such session.',
        body: RefreshTokenBody,
        response: { 204: Type.Null({ description: 'There is no such session any more' }) },
      },
    },
    async (request, reply) => {
      await logout(deps, request.body.refreshToken)
      return reply.status(204).send(null)
    },
  )
}
