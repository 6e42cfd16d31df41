import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithout } from '@souk/service-kit/testing/engines'
import { newName, startUsers, testDatabase } from './helper.ts'

const skip = await skipWithout('sqlite')

it('while another process holds the write lock of SQLite, a registration waits and reads of users respond', {
  skip,
}, async (t) => {
  const { database, url, drop } = await testDatabase('sqlite')
  const users = await startUsers(database)
  t.after(async () => {
    await users.app.close()
    await drop()
  })
  const { accessToken } = await users.tokensOf((await users.newUser()).username)
  const other = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 0 })
  other.exec('begin immediate')
  const registration = users.register(newName())
  // The registration has reached the lock after this wait.
  await sleep(100)
  for (const response of [await users.me(accessToken), await users.sessions(accessToken), await users.jwks()])
    assert.equal(response.statusCode, 200, response.body)
  assert.equal(await Promise.race([registration, 'waits']), 'waits')
  other.exec('rollback')
  other.close()
  assert.equal((await registration).statusCode, 201)
})
