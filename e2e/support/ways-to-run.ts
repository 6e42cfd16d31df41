import { nginxIsInstalled } from '@souk/dev-env/nginx'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { startShop, UNLIMITED } from './system.ts'

const engines = await availableEngines()
const missing = [
  ...(engines.includes('postgres') ? [] : ['PostgreSQL']),
  ...(nginxIsInstalled() ? [] : ['nginx']),
]

/** The system as `npm start` has it, and as production does but for the containers. */
export const WAYS_TO_RUN = [
  { name: 'the gateway of npm start, on SQLite', start: () => startShop('sqlite'), skip: false },
  {
    name: 'nginx, on PostgreSQL',
    start: () => startShop('postgres', { gateway: 'nginx', envOf: { gateway: UNLIMITED } }),
    skip: missing.length > 0 && `no ${missing.join(' and no ')} here`,
  },
]
