import type { Ports } from './system.ts'

const VARIABLES: Record<keyof Ports, string> = {
  gateway: 'GATEWAY_PORT',
  users: 'USERS_PORT',
  products: 'PRODUCTS_PORT',
  productsInternal: 'PRODUCTS_INTERNAL_PORT',
  orders: 'ORDERS_PORT',
}

const entries = (ports: Ports) => Object.entries(ports) as [keyof Ports, number][]

/** Which two of our own ports are the same, and undefined when none are. */
export function doubledPorts(ports: Ports): string | undefined {
  const doubled = entries(ports).find(([name, port]) =>
    entries(ports).some(([other, same]) => other !== name && same === port),
  )
  if (!doubled) return undefined
  const names = entries(ports).flatMap(([name, port]) => (port === doubled[1] ? [VARIABLES[name]] : []))
  return `${names.join(' and ')} are both ${doubled[1]}; each needs a port of its own.`
}

/** What to do about ports that something else has. */
export function busyPortsMessage(ports: Ports, busy: readonly number[]): string {
  const taken = entries(ports).filter(([, port]) => busy.includes(port))
  const lines = taken.map(([name, port]) => `  port ${port} (${VARIABLES[name]})`)
  const example = taken
    .map(([name, port]) => `${VARIABLES[name]}=${port < 50_000 ? port + 10_000 : port - 10_000}`)
    .join(' ')
  return [
    'Souk cannot start: something else listens here already (another Souk perhaps):',
    ...lines,
    'Stop that, or choose other ports:',
    `  ${example} npm start`,
  ].join('\n')
}

/** Where everything is, and who may log in. */
export function greeting({ gateway, users, products, orders }: Ports): string {
  return `
Souk is running.

  everything, with its docs   http://localhost:${gateway}
  users                       http://localhost:${users}
  products                    http://localhost:${products}
  orders                      http://localhost:${orders}

  a buyer's login             user-1 / password
  a seller's login            seller-1 / password

Ctrl-C stops everything. In another terminal, ${gateway === 8080 ? '' : `GATEWAY_URL=http://localhost:${gateway} `}npm run demo shows a race for the last unit.
`
}
