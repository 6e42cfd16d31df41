import { useState } from 'react'
import { souk } from '../souk.ts'
import { Field, Form } from '../ui/form.tsx'
import { Failure } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'
import { useUser } from './session.ts'

/** The name, the password and the sessions of the user who is logged in. */
export function AccountPage() {
  useTitle('Account')
  const user = useUser()
  if (!user) return null
  return (
    <div className="stack wide narrow">
      <h1>Account</h1>
      <section className="panel stack">
        <h2>Name</h2>
        <NameForm name={user.displayName} />
      </section>
      <section className="panel stack">
        <h2>Password</h2>
        <PasswordForm />
      </section>
      <section className="panel stack">
        <h2>Sessions</h2>
        <Logout />
      </section>
    </div>
  )
}

function NameForm({ name }: { name: string }) {
  const [saved, setSaved] = useState(false)
  const save = async (values: FormData) => {
    setSaved(false)
    await souk.session.rename(String(values.get('displayName')))
    setSaved(true)
  }
  return (
    <>
      <Form submitLabel="Save the name" onSubmit={save}>
        {(errors) => (
          <Field
            label="Name that others see"
            name="displayName"
            required
            maxLength={60}
            defaultValue={name}
            error={errors.displayName}
          />
        )}
      </Form>
      <p role="status">{saved && 'The name is saved.'}</p>
    </>
  )
}

function PasswordForm() {
  const [changed, setChanged] = useState(false)
  const change = async (values: FormData) => {
    setChanged(false)
    const body = {
      currentPassword: String(values.get('currentPassword')),
      newPassword: String(values.get('newPassword')),
    }
    await souk.put('/users/me/password', { body })
    setChanged(true)
  }
  return (
    <>
      <Form key={`${changed}`} submitLabel="Change the password" onSubmit={change}>
        {(errors) => (
          <>
            <Field
              label="Current password"
              name="currentPassword"
              type="password"
              autoComplete="current-password"
              required
              error={errors.currentPassword}
            />
            <Field
              label="New password"
              name="newPassword"
              type="password"
              autoComplete="new-password"
              required
              error={errors.newPassword}
            />
          </>
        )}
      </Form>
      <p role="status">{changed && 'The password is changed. Your other sessions have ended.'}</p>
    </>
  )
}

function Logout() {
  const [error, setError] = useState<unknown>()
  const end = (logOut: () => Promise<void>) => () => logOut().catch(setError)
  return (
    <>
      <div className="row">
        <button type="button" className="button" onClick={end(() => souk.session.logout())}>
          Log out
        </button>
        <button type="button" className="button danger" onClick={end(() => souk.session.logoutEverywhere())}>
          Log out on all devices
        </button>
      </div>
      {error !== undefined && <Failure error={error} />}
    </>
  )
}
