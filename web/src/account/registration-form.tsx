import { souk } from '../souk.ts'
import { Field, Form } from '../ui/form.tsx'

/** Creates an account and logs in. */
export function RegistrationForm({ account }: { account: 'BUYER' | 'SELLER' }) {
  const register = async (values: FormData) => {
    const displayName = String(values.get('displayName')).trim()
    await souk.session.register({
      username: String(values.get('username')),
      password: String(values.get('password')),
      role: account,
      ...(displayName && { displayName }),
    })
  }
  return (
    <Form submitLabel="Create the account" onSubmit={register}>
      {(errors) => (
        <>
          <Field label="Username" name="username" autoComplete="username" required error={errors.username} />
          <Field
            label={account === 'SELLER' ? 'Name of your shop' : 'Your name'}
            name="displayName"
            maxLength={60}
            hint={account === 'SELLER' ? 'Buyers see this name. You can change it later.' : 'Optional'}
            required={account === 'SELLER'}
            error={errors.displayName}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            hint="At least 8 characters that are hard to guess"
            error={errors.password}
          />
        </>
      )}
    </Form>
  )
}
