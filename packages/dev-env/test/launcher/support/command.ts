import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Runs a script of this package with the environment `env` and PATH. With `viaShell`, the script is a child of a shell,
 * as under npm.
 */
export function runCommand(script: string, env: Record<string, string>, { viaShell = false } = {}) {
  const file = fileURLToPath(new URL(`../../../src/${script}`, import.meta.url))
  // Without `; true`, some shells run the script in their own process instead of in a child process.
  const command = viaShell ? ['sh', '-c', `"${process.execPath}" "${file}"; true`] : [process.execPath, file]
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Starts a process group, as a terminal does. Ctrl-C sends a signal to the whole group.
    detached: true,
  })
  let text = ''
  const changed = new EventTarget()
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part) => {
      text += part
      changed.dispatchEvent(new Event('text'))
    })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }))
  return {
    pid: child.pid!,
    ended,
    /** Resolves when the output matches `pattern`; rejects if the script ends and the output does not match. */
    written: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const event = await Promise.race([once(changed, 'text'), ended])
        if ('code' in event && !pattern.test(text))
          throw new Error(`The script ended, and its output does not match ${pattern}:\n${text}`)
      }
    },
    /** Sends a signal to the whole group, as Ctrl-C does. */
    interrupt: (signal: NodeJS.Signals = 'SIGINT') => process.kill(-child.pid!, signal),
    /** Sends a signal only to the process that `runCommand` started: the script, or its shell. */
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  }
}
