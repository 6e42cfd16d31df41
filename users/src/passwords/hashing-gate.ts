import type { ServerResponse } from 'node:http'
import { UserError } from '../errors.ts'
import { networkOf } from '../login-limits/buckets.ts'
import { fairQueue } from './fair-queue.ts'

export interface GateLimits {
  /** The maximum number of tasks that run concurrently. */
  atOnce: number
  /** The maximum number of tasks in the queue. */
  waiting: number
  /** The maximum time in milliseconds that a task waits in the queue. The default is WAIT_MS. */
  waitMs?: number
}

/** The client for which a task runs. */
export interface Client {
  address: string
  /** Aborted when the client closes the connection. */
  signal: AbortSignal
}

/** Returns the client of a request. */
export function clientOf({ ip }: { ip: string }, { raw }: { raw: ServerResponse }): Client {
  const connection = new AbortController()
  // Fastify's `request.signal` cannot be used: it is aborted when the whole body has arrived.
  if (raw.closed) connection.abort()
  raw.once('close', () => connection.abort())
  return { address: ip, signal: connection.signal }
}

/** A client that has waited longer has probably given up. The time must be longer than a round of all networks. */
const WAIT_MS = 5_000
const RETRY_AFTER_SECONDS = 2

/**
 * The limits for registrations. Registrations and logins have separate queues, so that a flood of registrations does
 * not delay logins.
 */
export const REGISTRATION_GATE: GateLimits = { atOnce: 1, waiting: 16 }

/**
 * Runs a task within the limits of the gate.
 *
 * @throws UserError `temporary-reduced-capacity` if the queue is full, the task waits too long, or the client closes
 * the connection before the task starts; any error of the task
 */
export type Gate = <T>(client: Client, task: () => Promise<T>) => Promise<T>

/**
 * Returns a gate, which limits the concurrent tasks that hash passwords, so that a flood of logins does not use all CPU
 * cores. Networks take turns in the queue, so that the clients of one network wait only for one task of each other
 * network. When the queue is full, the network with the most tasks in the queue loses its newest task.
 */
export function createGate({ atOnce, waiting, waitMs = WAIT_MS }: GateLimits): Gate {
  const queue = fairQueue<{ start: () => void; reject: () => void }>()
  let running = 0

  const startNext = () => {
    while (running < atOnce) {
      const entry = queue.next()
      if (!entry) return
      running++
      entry.start()
    }
  }
  const turn = ({ address, signal }: Client): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const network = networkOf(address)
    const entry = {
      start: () => {
        clearTimeout(timer)
        resolve()
      },
      /** Has no effect after the start. */
      reject: () => {
        clearTimeout(timer)
        queue.remove(network, entry)
        reject(new UserError('temporary-reduced-capacity', { retryAfterSeconds: RETRY_AFTER_SECONDS }))
      },
    }
    const timer = setTimeout(entry.reject, waitMs)
    queue.add(network, entry)
    if (signal.aborted) entry.reject()
    signal.addEventListener('abort', entry.reject, { once: true })
    startNext()
    if (queue.size() > waiting) queue.newestOfLongest()?.reject()
    return promise
  }

  return async (client, task) => {
    await turn(client)
    try {
      return await task()
    } finally {
      running--
      startNext()
    }
  }
}
