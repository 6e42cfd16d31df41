import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readContract } from '@souk/service-kit/testing/contract'
import { openUsers } from './helper.ts'

describe('the OpenAPI document of the users service', () => {
  it('equals swagger/users.json', async () => {
    const { app, close } = await openUsers('sqlite')
    await app.ready()
    assert.deepEqual(JSON.parse(JSON.stringify(app.swagger())), readContract('users'))
    await close()
  })

  it('states for each route whether the route is public or requires a user', () => {
    const access = Object.entries(readContract('users').paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => [`${method} ${path}`, operation['x-access']]),
    )
    assert.deepEqual(Object.fromEntries(access), {
      'post /users': 'public',
      'get /users/me': 'user',
      'patch /users/me': 'user',
      'get /sellers/{id}': 'public',
      'put /users/me/password': 'user',
      'post /auth/login': 'public',
      'post /auth/refresh': 'public',
      'post /auth/logout': 'public',
      'get /auth/sessions': 'user',
      'delete /auth/sessions': 'user',
      'delete /auth/sessions/{id}': 'user',
      'get /.well-known/jwks.json': 'public',
    })
  })
})
