/**
 * Preloaded with `--import` into every process that the launcher starts. When the launcher exits or is killed, the IPC
 * channel to the launcher closes, and the process sends SIGTERM to itself.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Without `unref`, the open channel would keep an otherwise finished process running.
process.channel?.unref()
