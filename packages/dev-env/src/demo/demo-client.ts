// These types contain only the fields of swagger/openapi.json that the demo reads.

export interface Money {
  amount: number
  currency: string
}

export interface Product {
  id: number
  name: string
  price: Money
  stock: number
}

export interface Order {
  id: string
  status: string
  lines: { productId: number; quantity: number; name: string | null }[]
  total: Money | null
}

export interface Sale {
  orderId: string
  name: string
  quantity: number
  total: Money
}

export interface Problem {
  code: string
  detail: string
  lines?: { productId: number; requested: number; available: number }[]
}

export interface Page<Item> {
  items: Item[]
}

/** Ends the demo with a message for the user. */
export class DemoFailure extends Error {
  override name = 'DemoFailure'
}

export interface ApiResponse<Body> {
  status: number
  body: Body
}

interface Call {
  token?: string
  body?: object
  /** If set, any other status throws DemoFailure. */
  expect?: number
}

/** Returns a function that calls the API at `origin`, for example `api('GET', '/products/1')`. */
export const apiAt =
  (origin: string) =>
  async <Body>(
    method: string,
    path: string,
    { token, body, expect }: Call = {},
  ): Promise<ApiResponse<Body>> => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: Error) => {
      throw new DemoFailure(`No response from ${origin} (${reason(error)}). Run \`npm start\` first.`)
    })
    const text = await response.text()
    if (expect !== undefined && response.status !== expect) {
      throw new DemoFailure(`${method} ${path} responded ${response.status} instead of ${expect}: ${text}`)
    }
    return { status: response.status, body: parsed(text, `${method} ${path}`) as Body }
  }

export type Api = ReturnType<typeof apiAt>

const reason = ({ cause, message }: Error) => (cause as NodeJS.ErrnoException | undefined)?.code ?? message

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DemoFailure(
      `The response to ${what} is not JSON. Check that GATEWAY_URL is the address of Souk.`,
    )
  }
}
