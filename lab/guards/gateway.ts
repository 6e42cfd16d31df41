import type { Guard } from './guard.ts'

export const gatewayGuards: Guard[] = [
  {
    safeguard: 'The gateway does not forward headers that only a proxy may set',
    file: 'packages/dev-env/src/gateway/headers.ts',
    remove: 'CONNECTION_HEADERS, PROXY_HEADERS)',
    replace: 'CONNECTION_HEADERS)',
    test: 'packages/dev-env/test/gateway/gateway.test.ts',
  },
  {
    safeguard: 'nginx closes the connections of rejected requests, although their bodies have not arrived',
    file: 'nginx/templates/limits.conf.template',
    remove: 'lingering_time 2s;\nlingering_timeout 1s;',
    replace: '',
    test: 'nginx/test/slow-clients.test.ts',
  },
  {
    safeguard: 'nginx compares no condition with a stored response',
    file: 'nginx/templates/cache.conf.template',
    remove: '$http_authentication$condition"',
    replace: '$http_authentication"',
    test: 'nginx/test/gateway-contract.test.ts',
  },
  {
    safeguard: 'nginx forwards empty and repeated headers',
    file: 'nginx/templates/headers.conf.template',
    remove: 'proxy_pass_request_headers on;',
    replace: 'proxy_pass_request_headers off; proxy_set_header Idempotency-Key $http_idempotency_key;',
    test: 'nginx/test/gateway-contract.test.ts',
  },
]
