import { Dialog } from '../ui/dialog.tsx'
import { LoginForm } from './login-form.tsx'
import { forgetEndedSession, useSession } from './session.ts'

/** Asks for the password when a session has ended by itself. The page below stays, with everything that was typed. */
export function SessionDialog() {
  const { ended } = useSession()
  if (!ended) return null
  return (
    <Dialog title="Log in again" onClose={forgetEndedSession}>
      <p>Your session has ended. What you have typed is still there.</p>
      <LoginForm username={ended.username} />
    </Dialog>
  )
}
