import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { busyPorts, freePorts } from '../../src/launcher/ports.ts'
import { runCommand } from './command.ts'

describe('npm start', () => {
  let folder: string
  let ports: number[]
  let env: Record<string, string>
  let origin: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-start-'))
    ports = await freePorts(5)
    const names = ['GATEWAY_PORT', 'USERS_PORT', 'PRODUCTS_PORT', 'PRODUCTS_INTERNAL_PORT', 'ORDERS_PORT']
    env = Object.fromEntries(names.map((name, i) => [name, `${ports[i]}`]))
    env.DATA_DIR = folder
    origin = `http://127.0.0.1:${ports[0]}`
  })
  after(() => rmSync(folder, { recursive: true }))

  const start = async () => {
    const command = runCommand('launcher/start.ts', env)
    await command.written(/Ctrl-C stops everything/)
    return command
  }
  const newUser = () =>
    fetch(`${origin}/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'zoe', password: 'a lamp and a kettle', role: 'BUYER' }),
    }).then(({ status }) => status)

  const nothingListens = async () => {
    for (let attempt = 0; (await busyPorts(ports)).length > 0; attempt++) {
      assert.ok(attempt < 100, 'something still listens after 10 s')
      await sleep(100)
    }
  }
  const childOf = (parent: number, script: string) => {
    const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
    return Number(pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(script)))
  }

  it('names a busy port and how to choose another, and starts nothing', async () => {
    const server = createServer().listen(ports[2], '127.0.0.1')
    await once(server, 'listening')
    const { code, text } = await runCommand('launcher/start.ts', env).ended
    server.close()
    assert.equal(code, 1)
    assert.match(text, new RegExp(`port ${ports[2]} \\(PRODUCTS_PORT\\)`))
    assert.match(text, /PRODUCTS_PORT=\d+ npm start/)
    assert.doesNotMatch(text, /Starting/)
  })

  it('names a port that is no port', async () => {
    const { code, text } = await runCommand('launcher/start.ts', { ...env, USERS_PORT: 'eighty' }).ended
    assert.equal(code, 1)
    assert.match(text, /USERS_PORT: must be integer/)
  })

  it('starts all, tells where and who may log in, and one Ctrl-C ends it; the data is there the next time', async () => {
    const first = await start()
    assert.equal(await newUser(), 201)
    first.interrupt()
    const { code, text } = await first.ended
    assert.equal(code, 0, text)
    for (const port of ports.filter((_port, i) => i !== 3))
      assert.match(text, new RegExp(`http://localhost:${port}`))
    assert.match(text, /user-1 \/ password.*seller-1 \/ password/s)
    assert.doesNotMatch(text, /ended by itself|killed|Error/)
    assert.deepEqual(await busyPorts(ports), [])

    const second = await start()
    assert.equal(await newUser(), 409)
    second.kill('SIGTERM')
    assert.equal((await second.ended).code, 0)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('ends without a word of failure when it is interrupted twice, in the middle of its start', async () => {
    const command = runCommand('launcher/start.ts', env)
    await command.written(/Starting/)
    await sleep(200)
    command.interrupt()
    command.interrupt()
    const { code, text } = await command.ended
    assert.equal(code, 0, text)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('ends all when it is killed itself', async () => {
    const command = await start()
    command.kill('SIGKILL')
    await nothingListens()
  })

  it('ends all when npm is ended, which tells it nothing', async () => {
    const command = runCommand(
      'launcher/start.ts',
      { ...env, npm_lifecycle_event: 'start' },
      { viaShell: true },
    )
    await command.written(/Ctrl-C stops everything/)
    command.kill('SIGTERM')
    await nothingListens()
  })

  it('says which service fell, and ends the others', { skip: process.platform !== 'linux' }, async () => {
    const command = await start()
    process.kill(childOf(command.pid, 'orders/src/main.ts'), 'SIGKILL')
    const { code, text } = await command.ended
    assert.equal(code, 1)
    assert.match(text, /orders ended by itself \(SIGKILL\)/)
    assert.doesNotMatch(text, /(users|products|gateway) ended/)
    assert.deepEqual(await busyPorts(ports), [])
  })

  it('runs the demo: one winner, one who learns why not', async () => {
    const command = await start()
    const demo = await runCommand('demo/demo.ts', { GATEWAY_URL: origin }).ended
    command.interrupt()
    await command.ended
    assert.equal(demo.code, 0, demo.text)
    assert.match(demo.text, /201 CONFIRMED/)
    assert.match(demo.text, /409 insufficient-stock: .*\n.*ordered 1, left 0/)
    assert.match(demo.text, /units left of product \d+: 0/)
  })
})

describe('npm run demo', () => {
  it('says what to do when nothing answers', async () => {
    const [port] = await freePorts(1)
    const { code, text } = await runCommand('demo/demo.ts', { GATEWAY_URL: `http://127.0.0.1:${port}` }).ended
    assert.equal(code, 1)
    assert.match(
      text,
      /Nothing answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Run `npm start` first\./,
    )
  })
})
