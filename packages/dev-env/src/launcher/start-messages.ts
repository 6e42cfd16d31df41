import { PORT_VARIABLES } from './start-config.ts'
import type { Ports } from './system.ts'

const entries = (ports: Ports) => Object.entries(ports) as [keyof Ports, number][]

/** Returns an error message if two variables set the same port, otherwise undefined. */
export function duplicatePortsMessage(ports: Ports): string | undefined {
  const byPort = Map.groupBy(entries(ports), ([, port]) => port)
  for (const [port, same] of byPort) {
    if (same.length === 1) continue
    const names = same.map(([name]) => PORT_VARIABLES[name])
    return `${names.join(' and ')} are both ${port}; choose different ports.`
  }
  return undefined
}

/** Returns the error message for ports that other processes use. */
export function busyPortsMessage(ports: Ports, busy: readonly number[]): string {
  const taken = entries(ports).filter(([, port]) => busy.includes(port))
  const lines = taken.map(([name, port]) => `  port ${port} (${PORT_VARIABLES[name]})`)
  const example = taken
    .map(([name, port]) => `${PORT_VARIABLES[name]}=${port < 50_000 ? port + 10_000 : port - 10_000}`)
    .join(' ')
  return [
    'Souk cannot start, because other processes (perhaps another Souk) use these ports:',
    ...lines,
    'Stop them, or choose other ports:',
    `  ${example} npm start`,
  ].join('\n')
}

/** Returns the message after a successful start, with the URLs and the demo logins. */
export function greeting({ gateway, users, products, orders }: Ports): string {
  return `
Souk is running.

  shop                        http://localhost:${gateway}/shop
  API, with its documentation http://localhost:${gateway}
  users                       http://localhost:${users}
  products                    http://localhost:${products}
  orders                      http://localhost:${orders}

  log in as a buyer           user-1 / password
  log in as a seller          seller-1 / password

Ctrl-C stops everything. In another terminal, ${gateway === 8080 ? '' : `GATEWAY_URL=http://localhost:${gateway} `}npm run demo shows a race for the last unit.
`
}
