/**
 * A queue that serves its senders in turn. A sender with many entries does not delay the first entry of another sender
 * by more than one entry.
 */
export function fairQueue<T>() {
  /** The entries of each sender, in order of arrival. The first sender in the map is served next. */
  const senders = new Map<string, Set<T>>()
  let size = 0
  const remove = (sender: string, entry: T): boolean => {
    const entries = senders.get(sender)
    if (!entries?.delete(entry)) return false
    if (entries.size === 0) senders.delete(sender)
    size--
    return true
  }
  return {
    size: () => size,

    add(sender: string, entry: T): void {
      const entries = senders.get(sender) ?? new Set()
      senders.set(sender, entries.add(entry))
      size++
    },

    /** Removes and returns the oldest entry of the sender whose turn it is. */
    next(): T | undefined {
      for (const [sender, entries] of senders) {
        for (const entry of entries) {
          remove(sender, entry)
          // Moves the sender to the end of the map, unless this was its last entry.
          if (senders.delete(sender)) senders.set(sender, entries)
          return entry
        }
      }
      return undefined
    },

    /** Removes the entry. Returns false if the entry is not in the queue. */
    remove,

    /** Returns the newest entry of the sender with the most entries; among equals, of the sender who is served last. */
    newestOfLongest(): T | undefined {
      let longest = new Set<T>()
      for (const entries of senders.values()) if (entries.size >= longest.size) longest = entries
      return [...longest].at(-1)
    },
  }
}
