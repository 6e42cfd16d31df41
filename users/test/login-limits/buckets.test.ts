import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loginBuckets, networkOf, registrationBucket, secondsToWait } from '../../src/login-limits/buckets.ts'

const limits = { windowSeconds: 900, accountAndAddress: 10, address: 250, account: 25, registrations: 100 }

describe('loginBuckets', () => {
  it('returns a bucket for the account and address together, one for the address and one for the account', () => {
    const buckets = loginBuckets({ username: 'ada', network: '192.0.2.1', known: false }, limits)
    assert.deepEqual(buckets, [
      { name: 'pair:ada:192.0.2.1', limit: 10 },
      { name: 'address:192.0.2.1', limit: 250, countsSuccesses: true },
      { name: 'account:ada', limit: 25 },
    ])
  })

  it('omits the account bucket for an address from which the account has logged in', () => {
    const buckets = loginBuckets({ username: 'ada', network: '192.0.2.1', known: true }, limits)
    assert.deepEqual(
      buckets.map(({ name }) => name),
      ['pair:ada:192.0.2.1', 'address:192.0.2.1'],
    )
  })
})

it('registrationBucket returns a bucket separate from the login buckets of the same network', () => {
  assert.deepEqual(registrationBucket('192.0.2.1', limits), {
    name: 'register:192.0.2.1',
    limit: 100,
    countsSuccesses: true,
  })
})

describe('secondsToWait', () => {
  const buckets = [
    { name: 'a', limit: 2 },
    { name: 'b', limit: 5 },
  ]
  const wait = (a: number, b: number, pending = 1) =>
    secondsToWait(
      [
        { bucket: 'a', attempts: a, pending, expires_at: 11_001 },
        { bucket: 'b', attempts: b, pending, expires_at: 61_000 },
      ],
      buckets,
      1_000,
    )

  it('returns 0 while no count exceeds its limit', () => assert.equal(wait(2, 5), 0))
  it('returns the time until the window of a full bucket ends, rounded up to seconds', () =>
    assert.equal(wait(3, 5), 11))
  it('returns the longest wait when several buckets are full', () => assert.equal(wait(3, 6), 60))
  it('returns 1 when a bucket exceeds its limit only because of pending attempts', () =>
    assert.equal(wait(3, 5, 2), 1))
  it('returns the longer wait when one bucket is full of checked attempts and another of pending ones', () =>
    assert.equal(wait(3, 8, 3), 60))
})

describe('networkOf', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1%eth0', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1:2:3::4:5:6.7.8.9', '1:2:3:0::/64'],
    ['1::3:4:5:6:7', '1:0:0:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.513', 'unknown'],
    ['0300.0.2.1', 'unknown'],
    ['no address at all', 'unknown'],
    ['x'.repeat(10_000), 'unknown'],
  ] as const) {
    it(`returns ${network} for ${address.slice(0, 30)}`, () => assert.equal(networkOf(address), network))
  }
})
