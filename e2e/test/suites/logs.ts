import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { SystemUnderTest } from '../../support/system.ts'
import { waitUntil } from '../../support/wait.ts'

/** Patterns of secrets that the tests do not know. */
const SECRET_PATTERNS = [
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/, // a JWT
  /\$argon2/, // a password hash
  /PRIVATE KEY|"d\\?":/, // a signing key
  /:\/\/[^/\s:@]*:[^/\s@]+@/, // a URL with a password
]

/** Searches everything that the processes logged while the other suites ran. */
export function logsSuite(system: () => SystemUnderTest): void {
  it('the logs of all processes contain no password, token, password hash, signing key or service secret', async (test) => {
    const { shop, output, serviceTokenSecret, system: processes } = system()
    if (!output || !processes) return test.skip('the logs of containers are not collected')
    const buyer = await shop.newBuyer()
    assert.equal((await buyer.souk.get('/users/me')).id, buyer.id)
    // Refused logins are logged too.
    await shop.call('POST', '/auth/login', {
      body: { username: buyer.username, password: buyer.refreshToken },
    })
    const secrets = [...shop.secrets, serviceTokenSecret]
    const leaksIn = (text: string) => [
      ...secrets.filter((secret) => text.includes(secret)),
      ...SECRET_PATTERNS.filter((pattern) => pattern.test(text)).map(String),
    ]
    const hasLogged = (name: string) =>
      output.some((line) => line.startsWith(`${name}: `) && line.includes('GET'))
    const names = Object.keys(processes.urls).filter((name) => name !== 'productsInternal')
    // nginx writes its log once a second.
    await waitUntil(() => names.every(hasLogged), 20_000, 'Not every process has logged a request')
    assert.equal(leaksIn(`{"token":"${buyer.accessToken}"}`).length, 2, 'a leak must be found')
    assert.deepEqual(leaksIn(output.join('\n')), [])
  })
}
