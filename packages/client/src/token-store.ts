import type { User } from './types.ts'

/** What survives a reload of the page. A session that has ended by itself has no tokens. */
export interface StoredSession {
  user: User
  refreshToken?: string
  /** `expiresAt` is in milliseconds since 1970, by the clock of this machine. */
  access?: { token: string; expiresAt: number }
}

/** Where a client keeps its session. Several clients may share a store, such as the tabs of a browser. */
export interface TokenStore {
  load(): StoredSession | undefined
  save(session: StoredSession | undefined): void
  /** Calls `listener` when another client has changed the store. Returns a function that ends this. */
  onChange(listener: () => void): () => void
}

const KEY = 'souk.session'

/** The part of `window` that reports changes by other tabs. */
interface StorageEvents {
  addEventListener(type: 'storage', listener: (event: { key: string | null }) => void): void
  removeEventListener(type: 'storage', listener: (event: { key: string | null }) => void): void
}

/**
 * Keeps the session in the `localStorage` of the browser, so that all tabs share it and it survives a reload. ADR 17 says
 * why the tokens are there and not in a cookie.
 */
export function browserTokens(
  storage: Storage = localStorage,
  window = globalThis as unknown as StorageEvents,
): TokenStore {
  return {
    load: () => parse(storage.getItem(KEY)),
    save: (session) => (session ? storage.setItem(KEY, JSON.stringify(session)) : storage.removeItem(KEY)),
    onChange: (listener) => {
      // The browser sends this event only to the other tabs. The key is null when the whole storage is cleared.
      const onStorage = ({ key }: { key: string | null }) => {
        if (key === KEY || key === null) listener()
      }
      window.addEventListener('storage', onStorage)
      return () => window.removeEventListener('storage', onStorage)
    },
  }
}

/** Another program, or a user, may have changed the storage. */
function parse(text: string | null): StoredSession | undefined {
  try {
    const session = JSON.parse(text ?? 'null')
    return typeof session?.user?.id === 'string' ? session : undefined
  } catch {
    return undefined
  }
}

/** Keeps the session in memory, for programs in Node. Clients that share the store behave like tabs of a browser. */
export function memoryTokens(): TokenStore {
  let stored: StoredSession | undefined
  const listeners = new Set<() => void>()
  return {
    load: () => stored,
    save: (session) => {
      stored = session
      for (const listener of listeners) listener()
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
