import type { Guard } from './guard.ts'

export const usersGuards: Guard[] = [
  {
    safeguard: 'A refresh token can be used only once',
    file: 'users/src/sessions/sessions-store.ts',
    remove: ".where('used_at', 'is', null)",
    replace: '',
    test: 'users/test/sessions/sessions.test.ts',
  },
  {
    safeguard: 'A reused refresh token ends its session',
    file: 'users/src/sessions/sessions-store.ts',
    remove: 'await endSession(trx, found.session_id)',
    replace: '',
    test: 'users/test/sessions/sessions.test.ts',
  },
  {
    safeguard: 'A password change ends all sessions of the user',
    file: 'users/src/accounts/accounts-store.ts',
    remove: '.set({ ends_at: SESSION_ENDED })',
    replace: '.set({ started_at: 0 })',
    test: 'users/test/accounts/password-change.test.ts',
  },
  {
    safeguard: 'A login over a limit is rejected before its password is checked',
    file: 'users/src/login-limits/attempts-store.ts',
    remove: 'if (wait > 0) throw',
    replace: 'if (false) throw',
    test: 'users/test/login-limits/login-limits.test.ts',
  },
  {
    safeguard: 'A login takes as long for an unknown user as for a wrong password',
    file: 'users/src/sessions/sessions.ts',
    remove: 'account?.password_hash ?? hasher.decoy',
    replace:
      "account?.password_hash ?? '$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
    test: 'users/test/sessions/login.test.ts',
  },
]
