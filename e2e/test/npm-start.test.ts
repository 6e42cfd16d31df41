import { describeProcesses } from './every-suite.ts'

// Each way to run the system has a test file of its own, so that the ways run side by side.
await describeProcesses('sqlite', 'node')
