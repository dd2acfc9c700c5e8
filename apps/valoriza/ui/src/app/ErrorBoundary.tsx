import { Component, type ReactNode } from 'react';
import { Failure } from '../ui/states';

/** Keeps a mistake in one screen from taking the page with it. React logs what was thrown. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <Failure error={new Error('Algo inesperado aconteceu nesta tela.')} onRetry={() => this.setState({ error: null })} />;
  }
}
