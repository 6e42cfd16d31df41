import { souk } from '../souk.ts'
import { Field, Form } from '../ui/form.tsx'

export function LoginForm({ username = '' }: { username?: string }) {
  const logIn = async (values: FormData) => {
    await souk.session.login(String(values.get('username')), String(values.get('password')))
  }
  return (
    <Form submitLabel="Log in" onSubmit={logIn}>
      {(errors) => (
        <>
          <Field
            label="Username"
            name="username"
            autoComplete="username"
            required
            defaultValue={username}
            error={errors.username}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={errors.password}
          />
        </>
      )}
    </Form>
  )
}
