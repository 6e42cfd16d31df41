import { Type } from 'typebox'
import { Overloaded } from '../../src/batching/batcher.ts'
import { ConnectionWaitTimeout } from '../../src/database/errors.ts'
import { callerOf } from '../../src/http/access.ts'
import { type App, createApp } from '../../src/http/app.ts'
import { ref, response } from '../../src/http/schema.ts'
import { testIssuer } from '../../testing/tokens.ts'

const Kitchen = Type.Object({ city: Type.String() }, { $id: 'Kitchen' })

export const issuer = await testIssuer()

/** Creates an app with only the routes that `createApp` registers. */
export const emptyApp = (trustProxy = ''): Promise<App> =>
  createApp({
    title: 'Test',
    description: 'An app for tests',
    tags: [],
    schemas: [Kitchen],
    trustProxy,
    verifyToken: issuer.verifyToken,
    toProblem: () => undefined,
    readiness: {},
  })

/** Creates an app with routes for the tests of this folder. */
export async function kitchenApp(): Promise<App> {
  const app = await emptyApp()
  const open = { config: { access: 'public' } } as const
  app.get('/open', open, async () => ({ open: true }))
  app.get('/broken', open, async () => {
    throw new Error('select secret from table_of_secrets')
  })
  app.get('/overloaded', open, async () => {
    throw new Overloaded('The queue is full.')
  })
  app.get('/without-database', open, async () => {
    throw new ConnectionWaitTimeout()
  })
  app.get('/origin', open, async (request) => ({ from: request.ip }))
  app.get('/cooks', { config: { access: { role: 'COOK' } } }, async (request) => ({
    id: callerOf(request).id,
  }))
  const Chef = Type.Object({ name: Type.String(), kitchen: ref(Kitchen) })
  app.get('/chef', { ...open, schema: { response: { 200: response('The chef', Chef) } } }, async () => ({
    name: 'Ada',
    passwordHash: '$argon2id$',
    kitchen: { city: 'Paris', safe: '1234' },
  }))
  const dishes = {
    querystring: Type.Object(
      { limit: Type.Optional(Type.Integer({ minimum: 1 })) },
      { additionalProperties: false },
    ),
    body: Type.Object(
      {
        name: Type.String({ minLength: 2 }),
        parts: Type.Array(Type.Object({ grams: Type.Integer() }), { maxItems: 3 }),
      },
      { additionalProperties: false },
    ),
  }
  app.post('/bell', open, async () => ({ rung: true }))
  app.delete('/bell', open, async () => ({ rung: false }))
  app.post('/dishes', { ...open, schema: dishes }, async (_request, reply) => reply.status(201).send({}))
  return app
}
