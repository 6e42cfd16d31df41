/**
 * Preloaded (`--import`) into the processes that we start: when the one that started them is gone, however it
 * ended, the channel to it closes, and they end as on any SIGTERM.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Waiting for that is no reason to go on living.
process.channel?.unref()
