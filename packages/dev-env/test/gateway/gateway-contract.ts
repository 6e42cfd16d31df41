import { conditionsContract } from './contract/conditions.ts'
import { type Open, useGateway } from './contract/contract-gateway.ts'
import { corsContract } from './contract/cors.ts'
import { forwardingContract } from './contract/forwarding.ts'
import { headersContract } from './contract/headers.ts'
import { pagesContract } from './contract/pages.ts'
import { requestsContract } from './contract/requests.ts'
import { routesContract } from './contract/routes.ts'

export type { OpenGateway, Urls } from './contract/contract-gateway.ts'

/** Defines the tests that both gateways must pass: the embedded gateway and nginx. */
export function gatewayContract(open: Open): void {
  const gateway = useGateway(open)
  routesContract(gateway)
  headersContract(gateway)
  forwardingContract(gateway)
  requestsContract(gateway)
  conditionsContract(gateway)
  pagesContract(gateway)
  corsContract(open)
}
