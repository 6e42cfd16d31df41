/**
 * Preloaded with `--import` into every process that the launcher starts. When the launcher exits or is killed, its IPC
 * channel closes and the child sends itself SIGTERM.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Without `unref`, the open channel would keep an otherwise finished process running.
process.channel?.unref()
