/** Sets the wall clock of a process with libfaketime, while the process runs. Its monotonic clock stays correct. */
import { globSync, writeFileSync } from 'node:fs'
import { waitUntil } from '@souk/e2e/support/wait'

const [LIBFAKETIME] = globSync('/usr/lib/{*/,}faketime/libfaketimeMT.so.1')

export const hasFaketime = (): boolean => LIBFAKETIME !== undefined

/** Returns the environment of a process whose clock is off by the number of seconds in `file`; see `setOffset`. */
export const clockSettings = (file: string) => ({
  LD_PRELOAD: LIBFAKETIME ?? '',
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  // How many seconds the library waits before it reads the file again.
  FAKETIME_CACHE_DURATION: '1',
})

/** Sets the offset of the clocks that follow `file`. `untilClockIsOff` waits until a process follows. */
export const setOffset = (file: string, seconds: number): void =>
  writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`)

/** Resolves when the clock of the service at `url` is off by `seconds`, with a tolerance of 3 s. @throws Error after 5 s */
export async function untilClockIsOff(url: string, seconds: number): Promise<void> {
  const isOff = async () => {
    const response = await fetch(new URL('/health/live', url))
    await response.body?.cancel()
    const aheadMs = Date.parse(response.headers.get('date')!) - Date.now()
    return Math.abs(Math.round(aheadMs / 1_000) - seconds) <= 3
  }
  await waitUntil(isOff, 20_000, `the clock of ${url} is not off by ${seconds} s`)
}
