import { describeProcesses } from './every-suite.ts'

// The pages do not depend on the database, and a browser takes long. The run with nginx on PostgreSQL has these suites.
const PAGES = ['swagger-ui', 'storefront', 'seller-console', 'accessibility']

await describeProcesses('mysql', 'nginx', PAGES)
