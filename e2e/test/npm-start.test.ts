import { describeProcesses } from './every-suite.ts'

// Each way to run the system has a separate test file, because Node runs test files in parallel.
// The run with nginx on PostgreSQL checks every screen for accessibility.
await describeProcesses('sqlite', 'node', ['accessibility'])
