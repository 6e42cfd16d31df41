import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach } from 'node:test'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { startUpstream, type Upstream } from '../upstream.ts'

export interface OpenGateway {
  origin: string
  close(): Promise<void>
}

export type Urls = Record<'users' | 'products' | 'orders', string>

/** Starts a gateway that waits at most one second for the response of a service. `corsOrigins` is a list with commas. */
export type Open = (upstreams: Urls, corsOrigins?: string) => Promise<OpenGateway>

export type ContractGateway = ReturnType<typeof useGateway>

/** Starts a gateway and three servers that imitate the services, for the tests of the surrounding `describe`. */
export function useGateway(open: Open) {
  let upstreams: Record<keyof Urls, Upstream>
  let gateway: OpenGateway | undefined
  before(async () => {
    upstreams = {
      users: await startUpstream('users'),
      products: await startUpstream('products'),
      orders: await startUpstream('orders'),
    }
    const { users, products, orders } = upstreams
    gateway = await open({ users: users.url, products: products.url, orders: orders.url })
  })
  beforeEach(() => {
    for (const { reset } of Object.values(upstreams)) reset()
  })
  after(async () => {
    await gateway?.close()
    await Promise.all(Object.values(upstreams).map(({ close }) => close()))
  })
  return {
    open,
    get upstreams() {
      return upstreams
    },
    get origin() {
      return gateway!.origin
    },
    everythingSeen: () => Object.values(upstreams).flatMap(({ seen }) => seen),
    send: (path: string, options?: Parameters<typeof rawRequest>[2]) =>
      rawRequest(gateway!.origin, path, options),
    /** Sends `bytes` and returns all bytes, one per character, that the gateway sends until the connection closes. */
    exchange: async (bytes: string): Promise<string> => {
      const socket = connect(Number(new URL(gateway!.origin).port), '127.0.0.1')
      socket.write(bytes)
      const received: string[] = []
      for await (const chunk of socket.setEncoding('latin1')) received.push(chunk)
      return received.join('')
    },
  }
}

type Response = Awaited<ReturnType<typeof rawRequest>>

/** Asserts that the response is this problem and has the headers that every response must have. */
export function assertProblem(response: Response, status: number, code: string): void {
  const document = JSON.parse(response.body)
  assert.deepEqual([response.status, document.status, document.code], [status, status, code])
  assert.equal(response.headers['content-type'], 'application/problem+json')
  assert.match(String(response.headers['x-request-id']), /^[\w-]{1,64}$/)
  assert.equal(response.headers['x-content-type-options'], 'nosniff')
  assert.match(String(response.headers['content-security-policy']), /frame-ancestors 'none'/)
}
