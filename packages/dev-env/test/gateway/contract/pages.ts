import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ContractGateway } from './contract-gateway.ts'

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** Tests how a gateway serves the pages at /shop and /sell. */
export function pagesContract(gateway: ContractGateway): void {
  const assetsOf = async () => {
    const { body } = await gateway.send('/shop')
    return [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
  }

  it('serves the same page, which is not cached, at every path below /shop and /sell', async () => {
    const { body } = await gateway.send('/shop')
    for (const path of ['/shop', '/shop/products/7', '/shop/cart?x=1', '/sell', '/sell/products/new']) {
      const page = await gateway.send(path)
      assert.deepEqual([page.status, page.body], [200, body], path)
      assert.match(String(page.headers['content-type']), /^text\/html/)
      assert.equal(page.headers['cache-control'], 'no-store')
      assert.equal(page.headers['content-security-policy'], CONTENT_SECURITY_POLICY)
      assert.equal(page.headers['x-content-type-options'], 'nosniff')
    }
    assert.deepEqual(gateway.everythingSeen(), [])
  })

  it('serves pages that need nothing that their content security policy forbids', async () => {
    const { body } = await gateway.send('/shop')
    assert.doesNotMatch(body, /<script(?![^>]* src=)|<style|style=|\son\w+=|data:/)
    const paths = await assetsOf()
    assert.ok(paths.length >= 2)
    for (const path of paths) assert.match(path, /^\/assets\/[\w.-]+$/)
  })

  it('serves the files of the pages compressed, and lets browsers store them for a year', async () => {
    for (const path of await assetsOf()) {
      const plain = await gateway.send(path)
      assert.equal(plain.status, 200, path)
      assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable')
      assert.match(
        String(plain.headers['content-type']),
        path.endsWith('.js')
          ? /^application\/javascript/
          : path.endsWith('.css')
            ? /^text\/css/
            : /^image\/svg\+xml/,
      )
      assert.equal(plain.headers['content-encoding'], undefined)
      const [response, identity] = await Promise.all(
        ['gzip', 'identity'].map((encoding) =>
          fetch(gateway.origin + path, { headers: { 'accept-encoding': encoding } }),
        ),
      )
      assert.ok(response && identity)
      assert.equal(response.headers.get('content-encoding'), 'gzip', path)
      assert.match(String(response.headers.get('vary')), /accept-encoding/i)
      assert.ok((await response.text()) === (await identity.text()), path)
    }
  })

  it('responds with a problem to a file of the pages that does not exist, and to other methods', async () => {
    for (const path of [
      '/assets/missing.js',
      '/assets/',
      '/assets',
      '/assets/../index.html',
      '/index.html',
    ]) {
      const { status, headers } = await gateway.send(path)
      assert.equal(status, 404, path)
      assert.equal(headers['content-type'], 'application/problem+json', path)
      assert.equal(headers['cache-control'], 'no-store', path)
    }
    const [asset] = await assetsOf()
    for (const path of ['/shop', asset!])
      assert.equal((await gateway.send(path, { method: 'POST' })).status, 405)
  })

  it('sends a path with a slash at the end to the path without it', async () => {
    for (const path of ['/shop/', '/sell/']) {
      const { status, headers } = await gateway.send(path)
      assert.deepEqual([status, headers.location], [308, path.slice(0, -1)])
    }
  })

  it('responds to HEAD, to ranges and to conditions on the pages without an error', async () => {
    const [asset] = await assetsOf()
    for (const path of ['/shop', asset!]) {
      assert.deepEqual(
        await gateway.send(path, { method: 'HEAD' }).then(({ status, body }) => [status, body]),
        [200, ''],
      )
      assert.equal((await gateway.send(path, { headers: { range: 'bytes=0-1' } })).status, 200)
      assert.equal((await gateway.send(path, { headers: { 'if-none-match': '"x"' } })).status, 200)
    }
  })
}
