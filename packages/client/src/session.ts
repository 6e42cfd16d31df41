import type { paths } from './contract.gen.ts'
import { ConnectionFailed, connectionFailure, Problem, problemOf } from './problem.ts'
import { type Fetch, sendWithRetry, sleep } from './retry.ts'
import type { StoredSession, TokenStore } from './token-store.ts'
import type { User } from './types.ts'

type Tokens = paths['/auth/login']['post']['responses'][200]['content']['application/json']
type Registration = paths['/users']['post']['requestBody']['content']['application/json']

/** Why the user has changed. `expired`: the session has ended by itself, for example after a change of the password. */
export type SessionChange = 'login' | 'renamed' | 'logout' | 'expired'

export interface Session {
  /** The user who is logged in. */
  readonly user: User | undefined
  /** Calls `listener` after each change, also by another tab. Returns a function that ends this. */
  onChange(listener: (user: User | undefined, reason: SessionChange) => void): () => void
  /** @throws Problem `invalid-credentials` */
  login(username: string, password: string): Promise<User>
  /** Creates an account and logs in. @throws Problem `username-taken`, `validation-failed`, `password-too-common` */
  register(account: Registration): Promise<User>
  /** Changes the name that others see. @throws Problem `validation-failed` */
  rename(displayName: string): Promise<User>
  logout(): Promise<void>
  /** Ends all sessions of the user, on other devices too. */
  logoutEverywhere(): Promise<void>
}

/** A session and the access tokens that it gives to requests. */
export interface TokenSession extends Session {
  /**
   * Returns a valid access token, undefined if nobody is logged in. `rejected` is a token that the server has rejected.
   *
   * @throws Problem or ConnectionFailed when the token could not be refreshed for now
   */
  accessToken(rejected?: string): Promise<string | undefined>
}

interface SessionOptions {
  baseUrl: string
  tokens: TokenStore
  /** Sends a request without a token. */
  send: Fetch
}

/** A token that expires within this time is refreshed first. */
const SPARE_MS = 10_000

/**
 * Creates the session of a client. Both tokens are in `tokens`, so that a page can use the access token after a reload.
 * If each reload used the refresh token, a second reload could lose the response. Then the session would end.
 */
export function createSession({ baseUrl, tokens, send }: SessionOptions): TokenSession {
  let user = userOf(tokens.load())
  const listeners = new Set<(user: User | undefined, reason: SessionChange) => void>()

  const change = (next: User | undefined, reason: SessionChange) => {
    user = next
    for (const listener of listeners) listener(user, reason)
  }

  tokens.onChange(() => {
    const stored = tokens.load()
    const next = userOf(stored)
    if (next?.id === user?.id && next?.displayName === user?.displayName) return
    change(next, next ? (next.id === user?.id ? 'renamed' : 'login') : stored ? 'expired' : 'logout')
  })

  const post = async (path: string, body: unknown, token?: string, method = 'POST') => {
    const headers = new Headers(body === undefined ? {} : { 'content-type': 'application/json' })
    if (token) headers.set('authorization', `Bearer ${token}`)
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const request = new Request(urlOf(baseUrl, path), init)
    // A refresh that was rejected for now (429, 503) had no effect. Other calls leave it to the user to try again.
    const sent = path === '/auth/refresh' ? sendWithRetry(send, request) : send(request)
    const response = await sent.catch((error) => {
      throw error instanceof ConnectionFailed ? error : connectionFailure(error)
    })
    const text = await response.text()
    const answer = parsed(text)
    // A 2xx response without JSON comes from another server.
    if (!response.ok || (text !== '' && answer === undefined)) throw problemOf(answer, response)
    return answer
  }

  /** Stores what the server has issued. The user changes first: the store reports only changes by other clients. */
  const begin = (
    { user: next, accessToken: token, refreshToken, expiresIn }: Tokens,
    reason?: SessionChange,
  ) => {
    if (reason) change(next, reason)
    user = next
    tokens.save({ user: next, refreshToken, access: { token, expiresAt: Date.now() + expiresIn * 1_000 } })
    return next
  }

  /** A refresh token works only once, so only one tab may use it; the others then use the tokens that it has stored. */
  const refresh = (rejected: string | undefined) =>
    exclusively(async () => {
      const stored = tokens.load()
      const byOtherTab = validToken(stored, rejected)
      if (byOtherTab || !stored?.refreshToken) return byOtherTab
      try {
        const issued = (await post('/auth/refresh', { refreshToken: stored.refreshToken })) as Tokens
        begin(issued)
        return issued.accessToken
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 401) throw error
        const ended = user
        change(undefined, 'expired')
        if (ended) tokens.save({ user: ended })
        return undefined
      }
    })

  const accessToken = async (rejected?: string) => {
    const stored = tokens.load()
    return validToken(stored, rejected) ?? (stored?.refreshToken ? refresh(rejected) : undefined)
  }

  const login = async (username: string, password: string) =>
    begin((await post('/auth/login', { username, password })) as Tokens, 'login')

  const logout = async () => {
    const refreshToken = tokens.load()?.refreshToken
    if (refreshToken) await post('/auth/logout', { refreshToken })
    change(undefined, 'logout')
    tokens.save(undefined)
  }

  return {
    get user() {
      return user
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    accessToken,
    login,
    register: async (account) => {
      await post('/users', account)
      return login(account.username, account.password)
    },
    rename: async (displayName) => {
      const renamed = (await post('/users/me', { displayName }, await accessToken(), 'PATCH')) as User
      const stored = tokens.load()
      change(renamed, 'renamed')
      if (stored?.refreshToken) tokens.save({ ...stored, user: renamed })
      return renamed
    },
    logout,
    logoutEverywhere: async () => {
      await post('/auth/sessions', undefined, await accessToken(), 'DELETE')
      await logout()
    },
  }
}

const userOf = (stored: StoredSession | undefined) => (stored?.refreshToken ? stored.user : undefined)

/** Returns the stored access token, undefined if it is `rejected` or expires soon. */
function validToken(stored: StoredSession | undefined, rejected: string | undefined): string | undefined {
  const { token, expiresAt = 0 } = stored?.access ?? {}
  return token !== rejected && Date.now() < expiresAt - SPARE_MS ? token : undefined
}

/** Returns the URL of `path`. In a browser, an empty `baseUrl` is the origin of the page. */
export const urlOf = (baseUrl: string, path: string): string =>
  `${baseUrl || (globalThis as { location?: { origin: string } }).location?.origin || ''}${path}`

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * How long the lock is held after a refresh. Browsers do not promise that a tab at once sees what another tab has written
 * to localStorage (HTML standard, section 12.2.2), and Chromium does not. Without this time, the next tab would sometimes
 * use the old refresh token again, which ends the session.
 */
const VISIBLE_AFTER_MS = 200

/** The last task of this tab, for browsers that offer locks only to pages with HTTPS or on localhost. */
let last: Promise<unknown> = Promise.resolve()

/** Runs `task` while no other tab of the browser, or client of this process, runs one. */
function exclusively<T>(task: () => Promise<T>): Promise<T> {
  if (!globalThis.navigator?.locks) {
    const result = last.then(task, task)
    last = result
    return result
  }
  return new Promise((resolve, reject) => {
    navigator.locks
      .request('souk.refresh', async () => {
        resolve(await task())
        await sleep(VISIBLE_AFTER_MS)
      })
      .catch(reject)
  })
}
