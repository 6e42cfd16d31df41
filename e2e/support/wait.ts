import { setTimeout as sleep } from 'node:timers/promises'

/** Checks `condition` again and again, and resolves when it holds. @throws Error with `failure` when time is up */
export async function waitUntil(
  condition: () => Promise<boolean> | boolean,
  withinMs: number,
  failure: string,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${failure} (after ${withinMs / 1_000} s)`)
    await sleep(25)
  }
}

/** Waits until `url` responds with a 2xx. @throws Error after 30 s */
export function waitUntilReady(url: string): Promise<void> {
  const isReady = async () => (await fetch(url).catch(() => undefined))?.ok === true
  return waitUntil(isReady, 30_000, `${url} is not ready`)
}
