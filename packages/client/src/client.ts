import createFetchClient, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch'
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from 'openapi-typescript-helpers'
import type { paths } from './contract.gen.ts'
import { type OrderCalls, type PlaceOrderOptions, placeOrder, untilDecided } from './orders.ts'
import { itemsOf, withCursor } from './pages.ts'
import { problemOf } from './problem.ts'
import { type Fetch, sendWithRetry } from './retry.ts'
import { createSession, type Session, urlOf } from './session.ts'
import { memoryTokens, type TokenStore } from './token-store.ts'
import type { NewOrderLine, Order } from './types.ts'

export interface SoukOptions {
  /** The address of the gateway, such as `https://api.shop.example`. In a browser, '' is the origin of the page. */
  baseUrl: string
  /** Where the session is kept. Default: in memory. */
  tokens?: TokenStore
  fetch?: Fetch
}

type InitParameter<Init> = RequiredKeysOf<Init> extends never ? [Init?] : [Init]
type BodyOf<Path extends keyof paths, Method extends HttpMethod, Init> = Method extends keyof paths[Path]
  ? NonNullable<
      FetchResponse<paths[Path][Method] & Record<string | number, unknown>, Init, MediaType>['data']
    >
  : never

/**
 * Sends a request of one method. The path, the parameters, the body and the result have the types of the contract.
 *
 * @throws Problem if the response is not 2xx, and ConnectionFailed if no response arrives
 */
export type Call<Method extends HttpMethod> = <
  Path extends PathsWithMethod<paths, Method>,
  Init extends MaybeOptionalInit<paths[Path], Method>,
>(
  path: Path,
  ...init: InitParameter<Init>
) => Promise<BodyOf<Path, Method, Init>>

type ItemOf<Body> = Body extends { items: (infer Item)[] } ? Item : never

/** The API of a running system. */
export interface Souk {
  session: Session
  get: Call<'get'>
  post: Call<'post'>
  put: Call<'put'>
  patch: Call<'patch'>
  delete: Call<'delete'>
  /** Like `get`, and returns the ETag too. A later change sends it in `If-Match`. */
  getWithEtag: <
    Path extends PathsWithMethod<paths, 'get'>,
    Init extends MaybeOptionalInit<paths[Path], 'get'>,
  >(
    path: Path,
    ...init: InitParameter<Init>
  ) => Promise<{ data: BodyOf<Path, 'get', Init>; etag: string }>
  /** Returns the items of all pages of a list, one after the other. Requests a page when its first item is needed. */
  items: <Path extends PathsWithMethod<paths, 'get'>, Init extends MaybeOptionalInit<paths[Path], 'get'>>(
    path: Path,
    ...init: InitParameter<Init>
  ) => AsyncGenerator<ItemOf<BodyOf<Path, 'get', Init>>>
  /** Places an order and waits until it is decided; see `placeOrder` in orders.ts. */
  placeOrder(lines: readonly NewOrderLine[], options: PlaceOrderOptions): Promise<Order>
  /** Waits until an order is decided, also a cancellation. */
  untilDecided(order: Order, signal?: AbortSignal): Promise<Order>
}

/** Creates a client of the API at `baseUrl`. */
export function createSouk({
  baseUrl,
  tokens = memoryTokens(),
  fetch: send = (request) => fetch(request),
}: SoukOptions): Souk {
  const session = createSession({ baseUrl, tokens, send })

  const sendAs = async (request: Request, token: string | undefined) => {
    const authorized = new Request(request)
    if (token) authorized.headers.set('authorization', `Bearer ${token}`)
    return sendWithRetry(send, authorized)
  }
  /** Sends a request with the user's token. A token that the server rejects is refreshed once. */
  const sendWithToken: Fetch = async (request) => {
    const copy = request.clone()
    const token = await session.accessToken()
    const response = await sendAs(request, token)
    if (response.status !== 401 || !token) return response
    const next = await session.accessToken(token)
    return next ? sendAs(copy, next) : response
  }

  const client = createFetchClient<paths>({ baseUrl: urlOf(baseUrl, ''), fetch: sendWithToken })
  // The types of the calls follow from the contract; here they do not matter.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const request = async (method: HttpMethod, path: any, init: any = {}) => {
    const { data, error, response } = await client.request(
      method,
      path as never,
      {
        ...init,
        ...rawBody(init),
      } as never,
    )
    if (!response.ok) throw problemOf(error, response)
    return { response, data: data as never }
  }
  const call = <Method extends HttpMethod>(method: Method) =>
    (async (path: unknown, init: unknown) =>
      (await request(method, path, init)).data) as unknown as Call<Method>

  const get = call('get')
  const post = call('post')
  const calls: OrderCalls = {
    place: (lines, idempotencyKey, signal) =>
      post('/orders', {
        params: { header: { 'idempotency-key': idempotencyKey } },
        body: { lines: [...lines] },
        ...(signal && { signal }),
      }),
    find: (id, signal) => get('/orders/{id}', { params: { path: { id } }, ...(signal && { signal }) }),
  }
  return {
    session,
    get,
    post,
    put: call('put'),
    patch: call('patch'),
    delete: call('delete'),
    getWithEtag: async (path, ...[init]) => {
      const { data, response } = await request('get', path, init)
      return { data, etag: response.headers.get('etag') ?? '' }
    },
    items: (path, ...[init]) => itemsOf((cursor) => request('get', path, withCursor(init, cursor))) as never,
    placeOrder: (lines, options) => placeOrder(calls, lines, options),
    untilDecided: (order, signal) => untilDecided(calls, order, signal),
  }
}

/** A Blob, such as a picture, is sent as it is. */
const rawBody = ({ body, headers }: { body?: unknown; headers?: object }) =>
  body instanceof Blob && {
    bodySerializer: (blob: Blob) => blob,
    headers: { ...headers, 'content-type': body.type },
  }
