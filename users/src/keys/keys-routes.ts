import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { JsonWebKeySetSchema } from '../schemas.ts'
import type { KeyRing } from './key-ring.ts'

export function registerKeysRoutes(app: App, keys: KeyRing): void {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'listPublicKeys',
        tags: ['auth'],
        summary: 'Public keys',
        description:
          'The keys by which anyone can check an access token offline, found by its `kid`. A new key is listed a while before it signs, an old one until the last of its tokens has expired.',
        response: {
          200: response('The keys', ref(JsonWebKeySetSchema)),
          400: problemResponse('The request is not valid HTTP'),
        },
      },
    },
    async (_request, reply) => {
      const publicKeys = await keys.publicKeys()
      reply.header('cache-control', 'public, max-age=60')
      return publicKeys
    },
  )
}
