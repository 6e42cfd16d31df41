import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { busyPorts, freePorts } from '../../src/launcher/ports.ts'
import { runCommand } from './support/command.ts'

const PORTS = ['GATEWAY_PORT', 'USERS_PORT', 'PRODUCTS_PORT', 'PRODUCTS_INTERNAL_PORT', 'ORDERS_PORT']

/** Returns free ports and an empty folder for one installation of Souk. */
async function newInstallation(test: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'souk-start-'))
  test.after(() => rmSync(folder, { recursive: true }))
  const ports = await freePorts(PORTS.length)
  const env = {
    ...Object.fromEntries(PORTS.map((name, i) => [name, `${ports[i]}`])),
    DATA_DIR: folder,
  }
  return { ports, env, origin: `http://127.0.0.1:${ports[0]}` }
}

async function start(env: Record<string, string>, options?: { viaShell: boolean }) {
  const command = runCommand('launcher/start.ts', env, options)
  await command.written(/Ctrl-C stops everything/)
  return command
}

async function untilFree(ports: number[]): Promise<void> {
  for (let attempt = 0; (await busyPorts(ports)).length > 0; attempt++) {
    assert.ok(attempt < 1_200, 'a process still listens after 60 s')
    await sleep(50)
  }
}

function childOf(parent: number, script: string): number {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
  return Number(pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(script)))
}

const register = (origin: string) =>
  fetch(`${origin}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'zoe', password: 'a lamp and a kettle', role: 'BUYER' }),
  }).then(({ status }) => status)

// The tests run concurrently, because they mostly wait for processes to start.
describe('npm start', { concurrency: 3 }, () => {
  it('uses the data of the previous start, and ends all processes on Ctrl-C and on SIGTERM', async (test) => {
    const { ports, env, origin } = await newInstallation(test)
    const first = await start(env)
    assert.equal(await register(origin), 201)
    first.interrupt()
    const { code, text } = await first.ended
    assert.equal(code, 0, text)
    for (const port of ports.filter((_port, i) => PORTS[i] !== 'PRODUCTS_INTERNAL_PORT'))
      assert.match(text, new RegExp(`http://localhost:${port}`))
    assert.match(text, /user-1 \/ password.*seller-1 \/ password/s)
    // A process may have to be killed, because Node can hang after our shutdown: https://github.com/nodejs/node/issues/54918
    assert.doesNotMatch(text, /ended by itself|shutdown took longer|Error/)
    assert.deepEqual(await busyPorts(ports), [])

    const second = await start(env)
    assert.equal(await register(origin), 409)
    second.kill('SIGTERM')
    assert.equal((await second.ended).code, 0)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('exits with code 0 when Ctrl-C is pressed twice during the start', async (test) => {
    const { ports, env } = await newInstallation(test)
    const command = runCommand('launcher/start.ts', env)
    await command.written(/Starting/)
    await sleep(200)
    command.interrupt()
    command.interrupt()
    const { code, text } = await command.ended
    assert.equal(code, 0, text)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('ends the services and the gateway when the launcher is killed', async (test) => {
    const { ports, env } = await newInstallation(test)
    const command = await start(env)
    command.kill('SIGKILL')
    await untilFree(ports)
  })

  it('stops all processes when npm exits without forwarding SIGTERM', async (test) => {
    const { ports, env } = await newInstallation(test)
    const command = await start({ ...env, npm_lifecycle_event: 'start' }, { viaShell: true })
    command.kill('SIGTERM')
    await untilFree(ports)
  })

  // /proc exists only on Linux.
  const onLinux = { skip: process.platform !== 'linux' && 'only for Linux' }
  it('names the service that crashed, and ends the other processes', onLinux, async (test) => {
    const { ports, env } = await newInstallation(test)
    const command = await start(env)
    process.kill(childOf(command.pid, 'orders/src/main.ts'), 'SIGKILL')
    const { code, text } = await command.ended
    assert.equal(code, 1)
    assert.match(text, /orders ended by itself \(SIGKILL\)/)
    assert.doesNotMatch(text, /(users|products|gateway) ended/)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('names a busy port and the variable that sets the port, and starts no process', async (test) => {
    const { ports, env } = await newInstallation(test)
    const server = createServer().listen(ports[2], '127.0.0.1')
    await once(server, 'listening')
    const { code, text } = await runCommand('launcher/start.ts', env).ended
    server.close()
    assert.equal(code, 1)
    assert.match(text, new RegExp(`port ${ports[2]} \\(PRODUCTS_PORT\\)`))
    assert.match(text, /PRODUCTS_PORT=\d+ npm start/)
    assert.doesNotMatch(text, /Starting/)
  })

  it('rejects a port that is not a number', async (test) => {
    const { env } = await newInstallation(test)
    const { code, text } = await runCommand('launcher/start.ts', { ...env, USERS_PORT: 'eighty' }).ended
    assert.equal(code, 1)
    assert.match(text, /USERS_PORT: must be integer/)
  })
})

describe('npm run demo', { concurrency: true }, () => {
  it('shows that one order is confirmed, and why the other order is rejected', async (test) => {
    const { env, origin } = await newInstallation(test)
    const command = await start(env)
    const demo = await runCommand('demo/demo.ts', { GATEWAY_URL: origin }).ended
    command.interrupt()
    await command.ended
    assert.equal(demo.code, 0, demo.text)
    assert.match(demo.text, /201 CONFIRMED/)
    assert.match(demo.text, /409 insufficient-stock: .*\n.*ordered 1, left 0/)
    assert.match(demo.text, /units left of product \d+: 0/)
  })

  it('says that GATEWAY_URL is wrong when another server responds', async (test) => {
    const server = createHttpServer((_request, response) => response.end('<!doctype html>')).listen(
      0,
      '127.0.0.1',
    )
    test.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, text } = await runCommand('demo/demo.ts', { GATEWAY_URL: `http://127.0.0.1:${port}` }).ended
    assert.equal(code, 1)
    assert.match(text, /127\.0\.0\.1:\d+ is not Souk: .* Check GATEWAY_URL\./)
  })

  it('tells the user to run `npm start` when no gateway responds', async () => {
    const [port] = await freePorts(1)
    const { code, text } = await runCommand('demo/demo.ts', { GATEWAY_URL: `http://127.0.0.1:${port}` }).ended
    assert.equal(code, 1)
    assert.match(
      text,
      /No response from http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Run `npm start` first\./,
    )
  })
})
