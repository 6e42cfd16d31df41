import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { App } from '@souk/service-kit/http/app'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { buildGateway } from '../../src/gateway/gateway.ts'
import { buildPages } from '../../src/pages/build-pages.ts'
import { gatewayContract, type Urls } from './gateway-contract.ts'
import { startUpstream, type Upstream } from './upstream.ts'

const CONTRACT = { openapi: '3.1.0', info: { title: 'Everything', version: '1' }, paths: {} }

describe('The embedded gateway', () => {
  const open = async (upstreams: Urls, corsOrigins = '') => {
    const gateway: App = await buildGateway({
      upstreams,
      contract: CONTRACT,
      pages: await buildPages(),
      timeoutMs: 1_000,
      corsOrigins: corsOrigins.split(','),
    })
    return {
      origin: await gateway.listen({ host: '127.0.0.1', port: 0 }),
      close: () => gateway.close(),
    }
  }
  gatewayContract(open)

  describe('in front of one service', () => {
    let products: Upstream
    let gateway: Awaited<ReturnType<typeof open>>

    before(async () => {
      products = await startUpstream('products')
      gateway = await open({ users: products.url, products: products.url, orders: products.url })
    })
    after(async () => {
      await gateway.close()
      await products.close()
    })
    const codeOf = async (method: string) =>
      JSON.parse((await rawRequest(gateway.origin, '/products', { method })).body).code

    it('forwards a GET without its body', async () => {
      const options = { headers: { 'content-length': '5' }, body: 'extra' }
      assert.equal((await rawRequest(gateway.origin, '/products', options)).status, 200)
      assert.equal(products.seen[0]?.body, '')
    })

    it('retries a GET once when the service closes the connection without a response, then responds 502', async () => {
      products.reset()
      products.respondWith((response) => response.destroy())
      assert.equal(await codeOf('GET'), 'bad-gateway')
      assert.equal(products.seen.length, 2)
    })

    it('responds 502 when the response of a service is not HTTP', async () => {
      products.respondWith((response) => void response.socket?.end('NONSENSE\r\n\r\n'))
      assert.equal(await codeOf('POST'), 'bad-gateway')
    })

    it('serves the OpenAPI document at /json, where the Swagger page requests it', async () => {
      assert.deepEqual(JSON.parse((await rawRequest(gateway.origin, '/json')).body), CONTRACT)
    })
  })
})
