/**
 * Preloaded with `--import` into every process that the launcher starts. When the launcher ends in any way, the IPC
 * channel to it closes, and the process ends as on SIGTERM.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The channel must not keep a process alive that has nothing else to do.
process.channel?.unref()
