import { describeProcesses } from './every-suite.ts'

// Each way to run the system has a separate test file, because Node runs test files in parallel.
await describeProcesses('sqlite', 'node')
