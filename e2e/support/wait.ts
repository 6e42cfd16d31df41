import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when `condition` is true. @throws Error with the message `failure` if it is still false after `withinMs` */
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

/** Resolves when `GET url` returns a 2xx status. @throws Error if it does not within 60 s */
export function waitUntilReady(url: string): Promise<void> {
  const isReady = async () => (await fetch(url).catch(() => undefined))?.ok === true
  return waitUntil(isReady, 60_000, `${url} is not ready`)
}
