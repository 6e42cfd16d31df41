import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * A command of this package, with an environment of its own; with a shell between, as npm has it, if `viaShell`.
 */
export function runCommand(script: string, env: Record<string, string>, { viaShell = false } = {}) {
  const file = fileURLToPath(new URL(`../../src/${script}`, import.meta.url))
  // A group of its own, as a terminal makes one of each command: Ctrl-C signals the group.
  // Two commands, or some shells would become the first.
  const command = viaShell ? ['sh', '-c', `"${process.execPath}" "${file}"; true`] : [process.execPath, file]
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
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
    /** Resolves when it has written something that fits; rejects when it ends before. */
    written: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const over = await Promise.race([once(changed, 'text'), ended])
        if ('code' in over && !pattern.test(text))
          throw new Error(`It ended before it wrote ${pattern}:\n${text}`)
      }
    },
    /** Ctrl-C, or another signal to the whole group. */
    interrupt: (signal: NodeJS.Signals = 'SIGINT') => process.kill(-child.pid!, signal),
    /** To the process alone. */
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  }
}
