import { ConfigError } from './config.ts'

/**
 * Points at which a fault test can kill the process: with `FAILPOINT=after-T1:40` it ends with SIGKILL when it reaches
 * `after-T1` for the 40th time. Only the environment can set one, at the start of the process.
 */
const armed = parse(process.env.FAILPOINT)
let passes = 0

function parse(setting: string | undefined) {
  if (!setting) return undefined
  if (process.env.NODE_ENV === 'production')
    throw new ConfigError('FAILPOINT kills the service: unset it in production')
  const [, name, count] = /^([\w-]+):(\d+)$/.exec(setting) ?? []
  if (!name) throw new ConfigError('FAILPOINT: must be <name>:<count>')
  return { name, count: Number(count) }
}

/** Kills the process if this failpoint is set and was reached as often as its count says. */
export function failpoint(name: string): void {
  if (armed?.name === name && ++passes === armed.count) process.kill(process.pid, 'SIGKILL')
}
