import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { startUpstream, type Upstream } from '../upstream.ts'
import type { Open, OpenGateway } from './contract-gateway.ts'

/** Tests which pages of other origins may call the API. */
export function corsContract(open: Open): void {
  describe('with two allowed origins', () => {
    let service: Upstream
    let gateway: OpenGateway
    before(async () => {
      service = await startUpstream('service')
      const urls = { users: service.url, products: service.url, orders: service.url }
      gateway = await open(urls, 'https://shop.example,http://localhost:5173')
    })
    beforeEach(() => service.reset())
    after(async () => {
      await gateway?.close()
      await service.close()
    })
    const preflight = (origin: string, method = 'POST') =>
      rawRequest(gateway.origin, '/orders', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': method },
      })
    const call = (origin: string) => rawRequest(gateway.origin, '/users/me', { headers: { origin } })

    for (const origin of ['https://shop.example', 'http://localhost:5173']) {
      it(`allows pages of ${origin} to call the API`, async () => {
        const allowed = await preflight(origin)
        assert.equal(allowed.status, 204)
        assert.equal(allowed.headers['access-control-allow-origin'], origin)
        assert.match(String(allowed.headers['access-control-allow-methods']), /POST.*DELETE/)
        assert.match(String(allowed.headers['access-control-allow-headers']), /Idempotency-Key/)
        assert.equal(allowed.headers['access-control-allow-credentials'], undefined)
        assert.deepEqual(service.seen, [])
        const { headers } = await call(origin)
        assert.equal(headers['access-control-allow-origin'], origin)
        assert.match(String(headers['access-control-expose-headers']), /ETag/)
        assert.equal(headers.vary, 'Origin')
      })
    }

    for (const origin of [
      'https://evil.example',
      'https://shop.example.evil.example',
      'https://shopxexample',
      'https://sub.shop.example',
      'https://shop.example:8443',
      'http://shop.example',
      'HTTPS://SHOP.EXAMPLE',
      'https://shop.example/',
      'null',
      'https://evil.example|https://evil.example',
      'https://shop.example,https://evil.example|https://evil.example',
      'https://shop.example,http://localhost:5173',
    ]) {
      it(`does not allow pages of ${origin} to call the API`, async () => {
        for (const { headers } of [await preflight(origin), await call(origin)])
          assert.equal(headers['access-control-allow-origin'], undefined)
      })
    }

    it('forwards an OPTIONS request that is not a valid preflight', async () => {
      const response = await preflight('https://shop.example', 'POST x')
      assert.equal(response.headers['access-control-allow-methods'], undefined)
      assert.equal(service.seen.length, 1)
    })
  })
}
