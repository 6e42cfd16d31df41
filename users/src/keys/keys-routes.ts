import type { App } from '@souk/service-kit/http/app'
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
          'Returns the public keys that verify access tokens. The `kid` in the header of an access token is the `kid` of the key that signed the token. After a key rotation, the new key is listed for 15 minutes before it signs tokens. The old key stays listed until all tokens signed with the old key have expired.',
        response: { 200: response('The keys', ref(JsonWebKeySetSchema)) },
      },
    },
    async (_request, reply) => {
      const publicKeys = await keys.publicKeys()
      reply.header('cache-control', 'public, max-age=60')
      return publicKeys
    },
  )
}
