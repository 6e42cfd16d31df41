import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('The log of nginx', skipWithoutNginx, () => {
  const gateway = useNginx()
  const { send } = gateway

  /** Waits for the line with this request id and returns it. nginx writes a line up to one second after the request. */
  async function lineOf(id: string): Promise<string> {
    const deadline = Date.now() + 5_000
    while (Date.now() < deadline) {
      const line = gateway.nginx.lines.find((one) => one.includes(id))
      if (line) return line
      await sleep(20)
    }
    throw new Error(`No line contains ${id}`)
  }

  it('contains one line of JSON for a request, without the query', async () => {
    const id = 'log-me-1'
    await send('/users/me?password=hush', {
      headers: { 'x-request-id': id, traceparent: 'a"\\b' },
    })
    const entry = JSON.parse(await lineOf(id))
    assert.partialDeepStrictEqual(entry, {
      requestId: id,
      client: '127.0.0.1',
      method: 'GET',
      path: '/users/me',
      status: 200,
      service: 'users',
    })
    assert.ok(!gateway.nginx.lines.some((one) => one.includes('hush')))
  })

  it('is valid UTF-8 even if a client sends invalid UTF-8', async () => {
    await send('/users/me', { headers: { 'x-request-id': 'log-me-2', traceparent: '\xff' } })
    await send('/\xff', { headers: { 'x-request-id': 'log-me-3' } })
    for (const id of ['log-me-2', 'log-me-3']) {
      const line = await lineOf(id)
      assert.ok(!line.includes('\ufffd'), line)
    }
  })

  it('contains no query in error messages', async () => {
    const query = 'password=secret-of-the-query'
    gateway.service.respondWith((response) => response.destroy())
    await send(`/orders?${query}`, { method: 'POST', headers: { 'content-length': '70000' } })
    await send(`/orders?${query}`, { method: 'POST', headers: { 'x-request-id': 'log-me-4' } })
    await lineOf('log-me-4')
    assert.deepEqual(
      gateway.nginx.lines.filter((one) => one.includes(query)),
      [],
    )
  })
})
