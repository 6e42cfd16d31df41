import { describeProcesses } from './every-suite.ts'

await describeProcesses('postgres', 'nginx')
