/** Starts a stand-in and runs until it is killed: `node starting-parent.ts <port> <log>`. */
import { startProcesses } from '../../../src/launcher/processes.ts'
import { standIn } from './stand-in-spec.ts'

const [, , port, log] = process.argv
const processes = await startProcesses([[standIn('child', Number(port), { LOG: log! })]])
console.log(processes.process('child').pid)
