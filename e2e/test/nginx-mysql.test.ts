import { describeProcesses } from './every-suite.ts'

await describeProcesses('mysql', 'nginx')
