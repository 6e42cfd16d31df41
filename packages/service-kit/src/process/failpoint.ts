import { ConfigError } from './config.ts'

/**
 * Places at which a process can be made to die, for the fault tests: `FAILPOINT=after-T1:40` ends it by SIGKILL
 * when it comes to `after-T1` for the 40th time. Nothing else than the environment can arm one, once, at start.
 */
const armed = parse(process.env.FAILPOINT)
let passes = 0

function parse(setting: string | undefined) {
  if (!setting) return undefined
  if (process.env.NODE_ENV === 'production')
    throw new ConfigError('FAILPOINT kills the service: unset it in production')
  const [, name, at] = /^([\w-]+):(\d+)$/.exec(setting) ?? []
  if (!name) throw new ConfigError('FAILPOINT: must be <name>:<times passed>')
  return { name, at: Number(at) }
}

/** Where the process may be made to die; costs a comparison when it may not. */
export function failpoint(name: string): void {
  if (armed?.name === name && ++passes === armed.at) process.kill(process.pid, 'SIGKILL')
}
