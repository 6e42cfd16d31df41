import { ConnectionFailed, connectionFailure, retryAfterOf } from './problem.ts'

export type Fetch = (request: Request) => Promise<Response>

/** How often and how long a request is repeated. */
const MAX_ATTEMPTS = 5
const MAX_TOTAL_MS = 30_000
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 4_000

/** Requests whose repetition has no further effect, so that they can be repeated although the first may have succeeded. */
const isRepeatable = ({ method, headers, url }: Request): boolean =>
  method !== 'POST' && method !== 'PATCH' ? true : headers.has('idempotency-key') || url.endsWith('/cancel')

/**
 * Sends a request, and repeats it after 429, after 503 and when no response arrives. A 429 or 503 means that the request
 * had no effect. A request that must not take effect twice is not repeated when no response arrives.
 *
 * @throws ConnectionFailed when no response arrives, and the reason of the request's AbortSignal
 */
export async function sendWithRetry(send: Fetch, request: Request): Promise<Response> {
  const end = performance.now() + MAX_TOTAL_MS
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptTo(send, request)
    const pause = pauseAfter(outcome, request, attempt)
    if (pause === undefined || attempt === MAX_ATTEMPTS || performance.now() + pause > end) {
      if (outcome instanceof ConnectionFailed) throw outcome
      return outcome
    }
    await sleep(pause, request.signal)
  }
}

async function attemptTo(send: Fetch, request: Request): Promise<Response | ConnectionFailed> {
  try {
    // A body can be sent only once, so each attempt sends a copy.
    return await send(request.clone())
  } catch (error) {
    request.signal.throwIfAborted()
    return connectionFailure(error)
  }
}

/** Returns the milliseconds to wait before the next attempt, undefined if there must be none. */
function pauseAfter(
  outcome: Response | ConnectionFailed,
  request: Request,
  attempt: number,
): number | undefined {
  // Random pauses spread the attempts of clients that failed at the same time.
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS) * (0.5 + Math.random())
  if (outcome instanceof ConnectionFailed) return isRepeatable(request) ? pause : undefined
  if (outcome.status !== 429 && outcome.status !== 503) return undefined
  return Math.max(pause, (retryAfterOf(outcome) ?? 0) * 1_000)
}

/** Waits. @throws the reason of `signal` when it aborts */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
