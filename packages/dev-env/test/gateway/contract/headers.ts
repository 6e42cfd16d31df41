import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ContractGateway } from './contract-gateway.ts'

/** Tests which headers a gateway sends to a service and to a client. */
export function headersContract(gateway: ContractGateway): void {
  it('overwrites or removes the headers that only a proxy may set', async () => {
    await gateway.send('/sellers/me/products', {
      headers: {
        host: 'evil.example',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '1',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-user-id': '1',
        'X-User-Role': 'SELLER',
      },
    })
    const { headers } = gateway.upstreams.products.seen[0]!
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.notEqual(headers.host, 'evil.example')
    for (const name of [
      'x-forwarded-host',
      'x-forwarded-port',
      'x-real-ip',
      'forwarded',
      'x-user-id',
      'x-user-role',
    ])
      assert.equal(headers[name], undefined, name)
  })

  it('sets X-Forwarded-For and X-Request-Id even if the Connection header of the client lists these names', async () => {
    await gateway.send('/sellers/me/products', {
      headers: { connection: 'close, x-forwarded-for, x-request-id, authorization' },
    })
    const { headers } = gateway.upstreams.products.seen[0]!
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.ok(headers['x-request-id'])
  })

  for (const [name, value] of [
    ['expect', '100-continue'],
    ['keep-alive', '300'],
    ['upgrade', 'h2c'],
    ['te', 'trailers'],
    ['trailer', 'x-sum'],
    ['proxy-authorization', 'Basic abc'],
  ] as const) {
    it(`does not forward the ${name} header`, async () => {
      const response = await gateway.send('/orders', {
        method: 'POST',
        headers: { [name]: value, 'content-type': 'application/json' },
        body: '{}',
      })
      assert.equal(response.status, 200)
      assert.equal(gateway.upstreams.orders.seen[0]?.headers[name], undefined)
    })
  }

  it('does not return the Keep-Alive header of a service', async () => {
    gateway.upstreams.users.respondWith((response) =>
      response.setHeader('keep-alive', 'timeout=99').end('{}'),
    )
    assert.notEqual((await gateway.send('/users/me')).headers['keep-alive'], 'timeout=99')
  })

  it('sends the same request id to the service and to the client', async () => {
    const response = await gateway.send('/sellers/me/products')
    assert.match(String(response.headers['x-request-id']), /^[0-9a-f-]{32,36}$/)
    assert.equal(
      gateway.upstreams.products.seen[0]?.headers['x-request-id'],
      response.headers['x-request-id'],
    )
  })

  it('forwards the X-Request-Id of a client if the id is valid, and otherwise sends a new id to the service', async () => {
    await gateway.send('/sellers/me/products', { headers: { 'x-request-id': 'abc-123' } })
    await gateway.send('/sellers/me/products', { headers: { 'x-request-id': 'a"b c' } })
    const [valid, replaced] = gateway.upstreams.products.seen.map(({ headers }) => headers['x-request-id'])
    assert.equal(valid, 'abc-123')
    assert.match(String(replaced), /^[0-9a-f-]{32,36}$/)
  })

  it('sends no Access-Control-Allow-Origin and no Access-Control-Allow-Methods header by default', async () => {
    for (const origin of ['https://shop.example', 'null', '*', gateway.origin]) {
      const call = (method: string) =>
        gateway.send('/users/me', {
          method,
          headers: { origin, 'access-control-request-method': 'PUT' },
        })
      for (const { headers } of [await call('GET'), await call('OPTIONS')]) {
        assert.equal(headers['access-control-allow-origin'], undefined, origin)
        assert.equal(headers['access-control-allow-methods'], undefined, origin)
      }
    }
  })
}
