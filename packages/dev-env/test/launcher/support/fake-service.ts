/**
 * A process that imitates a service. Environment variables set its behaviour:
 * - PORT: the port of the HTTP server
 * - FAILS: if set, the process ends with an error at the start
 * - NEVER_READY: if set, the server always responds 503
 * - STUBBORN: if set, the process ignores SIGTERM
 * - END_MS: the time between SIGTERM and the end of the process
 * - LOG: a file to which the process appends a line with the value of NAME when the process ends after SIGTERM
 */
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { PORT, FAILS, NEVER_READY, STUBBORN, END_MS = '0', LOG, NAME = '' } = process.env
if (FAILS) {
  console.error('cannot start: the disk is full')
  process.exit(3)
}
process.on('SIGTERM', () => {
  if (STUBBORN) return
  setTimeout(() => {
    if (LOG) appendFileSync(LOG, `${NAME}\n`)
    process.exit(0)
  }, Number(END_MS))
})
const server = createServer((request, response) => {
  if (request.url === '/crash') {
    console.log('about to crash')
    process.exit(7)
  }
  response.statusCode = NEVER_READY ? 503 : 200
  response.end(JSON.stringify(process.env))
})
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening, pid ${process.pid}`))
