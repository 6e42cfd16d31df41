import type { ReactNode } from 'react'
import { useState } from 'react'
import { souk } from '../souk.ts'
import { LoginForm } from './login-form.tsx'
import { RegistrationForm } from './registration-form.tsx'
import { useSession } from './session.ts'

type Role = 'BUYER' | 'SELLER'

const NAMES: Record<Role, string> = { BUYER: 'buyer', SELLER: 'seller' }

/** Shows its content to a user with the role `account`, and the login form to everybody else. */
export function RequireUser({ account, children }: { account: Role; children: ReactNode }) {
  const { user, ended } = useSession()
  if ((user ?? ended)?.role === account) return children
  if (user) return <OtherRole account={account} name={user.displayName} />
  return <LoginOrRegistration account={account} />
}

function OtherRole({ account, name }: { account: Role; name: string }) {
  return (
    <div className="panel narrow stack">
      <h1>This page is for {NAMES[account]}s</h1>
      <p>
        You are logged in as {name}. Log out to continue with the account of a {NAMES[account]}.
      </p>
      <button type="button" className="button primary" onClick={() => souk.session.logout()}>
        Log out
      </button>
    </div>
  )
}

function LoginOrRegistration({ account }: { account: Role }) {
  const [registering, setRegistering] = useState(false)
  return (
    <div className="panel narrow stack">
      <h1>{registering ? `Become a ${NAMES[account]}` : 'Log in'}</h1>
      {registering ? <RegistrationForm account={account} /> : <LoginForm />}
      <button type="button" className="link" onClick={() => setRegistering(!registering)}>
        {registering ? 'I have an account' : 'I have no account yet'}
      </button>
    </div>
  )
}
