/**
 * Starts a child that imitates a service, prints the PID of the child, and runs until it is killed:
 * `node starting-parent.ts <port> <log>`.
 */
import { startProcesses } from '../../../src/launcher/processes.ts'
import { fakeService } from './fake-service-spec.ts'

const [, , port, log] = process.argv
const processes = await startProcesses([[fakeService('child', Number(port), { LOG: log! })]])
console.log(processes.process('child').pid)
