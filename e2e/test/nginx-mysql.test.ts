import { describeProcesses } from './every-suite.ts'

// These suites take long and do not depend on the database. The run with nginx on PostgreSQL has them.
await describeProcesses('mysql', 'nginx', ['accessibility', 'swagger-ui'])
