import type { Guard } from './guard.ts'

export const gatewayGuards: Guard[] = [
  {
    safeguard: 'The gateway does not forward headers that only a proxy may set',
    file: 'packages/dev-env/src/gateway/headers.ts',
    remove: 'CONNECTION_HEADERS, PROXY_HEADERS)',
    replace: 'CONNECTION_HEADERS)',
    test: 'packages/dev-env/test/gateway/gateway.test.ts',
  },
]
