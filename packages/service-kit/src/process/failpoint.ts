import { ConfigError, isProduction } from './config.ts'

/**
 * A failpoint is a named place in the code at which a fault test can kill the process. With `FAILPOINT=before-call:40`,
 * the process ends with SIGKILL when it reaches `before-call` for the 40th time. Only the environment can set a
 * failpoint, and only before the process starts.
 */
const configured = parse(process.env.FAILPOINT)
let timesReached = 0

function parse(setting: string | undefined) {
  if (!setting) return undefined
  if (isProduction(process.env.NODE_ENV))
    throw new ConfigError('FAILPOINT kills the service: unset it in production')
  const [, name, count] = /^([\w-]+):(\d+)$/.exec(setting) ?? []
  if (!name) throw new ConfigError('FAILPOINT: must be <name>:<count>')
  return { name, count: Number(count) }
}

/** Kills the process if this failpoint is set and has now been reached as often as configured. */
export function failpoint(name: string): void {
  if (configured?.name !== name) return
  timesReached++
  if (timesReached === configured.count) process.kill(process.pid, 'SIGKILL')
}
