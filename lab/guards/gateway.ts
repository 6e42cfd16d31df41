import type { Guard } from './guard.ts'

export const gatewayGuards: Guard[] = [
  {
    safeguard: 'The gateway overwrites X-Forwarded-For',
    file: 'packages/dev-env/src/gateway/headers.ts',
    remove: 'OF_ONE_CONNECTION, SET_BY_PROXIES)',
    replace: 'OF_ONE_CONNECTION)',
    test: 'packages/dev-env/test/gateway/gateway.test.ts',
  },
]
