import { type Open, useGateway } from './contract/contract-gateway.ts'
import { forwardingContract } from './contract/forwarding.ts'
import { headersContract } from './contract/headers.ts'
import { routesContract } from './contract/routes.ts'

export type { OpenGateway, Urls } from './contract/contract-gateway.ts'

/** Defines the tests that both gateways must pass: the embedded gateway and nginx. */
export function gatewayContract(open: Open): void {
  const gateway = useGateway(open)
  routesContract(gateway)
  headersContract(gateway)
  forwardingContract(gateway)
}
