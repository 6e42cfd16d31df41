import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readContract } from '@souk/service-kit/testing/contract'
import { describeContracts } from '../src/contract.ts'

describe('the contract', () => {
  it('is what is committed', async () => {
    const { users } = await describeContracts()
    assert.deepEqual(JSON.parse(JSON.stringify(users)), readContract('users'))
  })

  it('says who may call what', () => {
    const access = Object.entries(readContract('users').paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => [`${method} ${path}`, operation['x-access']]),
    )
    assert.deepEqual(Object.fromEntries(access), {
      'post /users': 'public',
      'get /users/me': 'user',
      'put /users/me/password': 'user',
      'post /auth/login': 'public',
      'post /auth/refresh': 'public',
      'post /auth/logout': 'public',
      'get /.well-known/jwks.json': 'public',
    })
  })
})
