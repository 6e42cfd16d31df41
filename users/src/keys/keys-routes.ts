import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
import { JsonWebKeySetSchema, type KeyRing } from './key-ring.ts'

export function registerKeysRoutes(app: App, keys: KeyRing): void {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'listPublicKeys',
        tags: ['auth'],
        summary: 'List the public keys',
        description:
          'Returns the keys to check access tokens with. The `kid` of a token names its key. A new key is listed 15 minutes before it signs, an old key until the last of its tokens has expired.',
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
