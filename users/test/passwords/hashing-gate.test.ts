import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { type Client, createGate } from '../../src/passwords/hashing-gate.ts'

/**
 * Returns functions that control tasks. `start` starts a task that runs until the test calls `ends[i]()`. `most`
 * returns how many tasks have run concurrently at most.
 */
function tasks() {
  const ends: (() => void)[] = []
  let running = 0
  let most = 0
  return {
    ends,
    most: () => most,
    start: () =>
      new Promise<void>((resolve) => {
        most = Math.max(most, ++running)
        ends.push(() => {
          running--
          resolve()
        })
      }),
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const client = (address = '192.0.2.1', signal = new AbortController().signal): Client => ({ address, signal })
const isBusy = (error: unknown) =>
  error instanceof UserError &&
  error.code === 'temporary-reduced-capacity' &&
  error.extras.retryAfterSeconds === 2

/** Starts a task that runs until the returned function is called, and so blocks a gate with one place. */
async function block(gate: ReturnType<typeof createGate>, address?: string): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  void gate(client(address), () => promise)
  await nextTurn()
  return resolve
}

describe('the hashing gate', { timeout: 5_000 }, () => {
  it('runs all tasks, and at most `atOnce` tasks concurrently', async () => {
    const gate = createGate({ atOnce: 2, waiting: 10 })
    const { start, ends, most } = tasks()
    const all = Array.from({ length: 4 }, () => gate(client(), start))
    for (let ended = 0; ended < 8; ended++) {
      await nextTurn()
      ends[ended]!()
      // Adds a task in the same turn of the event loop in which a queued task starts.
      if (ended < 4) all.push(gate(client(), start))
    }
    await Promise.all(all)
    assert.equal(most(), 2)
  })

  it('rejects a task when the queue is full, and sets Retry-After to 2 seconds', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const end = await block(gate)
    const waiting = gate(client(), async () => 'done')
    await assert.rejects(
      gate(client(), async () => 'done'),
      isBusy,
    )
    end()
    assert.equal(await waiting, 'done')
  })

  it('starts the next task after a task fails', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const failing = gate(client(), () => Promise.reject(new Error('broken')))
    const next = gate(client(), async () => 'done')
    await assert.rejects(failing, /broken/)
    assert.equal(await next, 'done')
  })

  it('lets the networks in the queue take turns', async () => {
    const gate = createGate({ atOnce: 1, waiting: 20 })
    const end = await block(gate)
    const order: string[] = []
    const wait = (address: string) => gate(client(address), async () => void order.push(address))
    const flood = [1, 2, 3].flatMap(() => ['203.0.113.1', '203.0.113.2'].map(wait))
    // Addresses of one IPv6 network share a turn.
    const network = [wait('2001:db8::1'), wait('2001:db8::2')]
    end()
    await Promise.all([...flood, ...network])
    assert.deepEqual(order, [
      ...['203.0.113.1', '203.0.113.2', '2001:db8::1'],
      ...['203.0.113.1', '203.0.113.2', '2001:db8::2'],
      ...['203.0.113.1', '203.0.113.2'],
    ])
  })

  it('removes the newest task of the network with the longest queue when the queue is full', async () => {
    const gate = createGate({ atOnce: 1, waiting: 3 })
    const end = await block(gate)
    const flood = [1, 2, 3].map((i) => gate(client('203.0.113.1'), async () => i))
    const honest = gate(client('192.0.2.1'), async () => 'honest')
    await assert.rejects(flood[2]!, isBusy)
    end()
    assert.deepEqual(await Promise.all([flood[0], flood[1], honest]), [1, 2, 'honest'])
  })

  it('rejects a task that has waited longer than `waitMs`', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1, waitMs: 20 })
    const end = await block(gate)
    let ran = false
    await assert.rejects(
      gate(client(), async () => {
        ran = true
      }),
      isBusy,
    )
    end()
    await gate(client(), async () => {})
    assert.equal(ran, false)
  })

  it('does not run a task whose client has closed the connection', async () => {
    const gate = createGate({ atOnce: 1, waiting: 10 })
    const end = await block(gate)
    const connection = new AbortController()
    const ran: string[] = []
    const run = (name: string, signal?: AbortSignal) =>
      gate(client('192.0.2.1', signal), async () => void ran.push(name)).catch((error) =>
        assert.ok(isBusy(error)),
      )
    const tasks = [run('closed while waiting', connection.signal), run('open')]
    connection.abort()
    tasks.push(run('closed before', connection.signal))
    end()
    await Promise.all(tasks)
    assert.deepEqual(ran, ['open'])
  })
})
