import { Component, type ReactNode } from 'react'
import { Failure } from './states.tsx'

/** Shows a message instead of an empty page when a component throws. React offers this only to class components. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error === undefined) return this.props.children
    return (
      <main>
        <Failure error={this.state.error} onRetry={() => location.reload()} />
      </main>
    )
  }
}
