/** What a screen shows before there is data, when there is none, and when it could not be read. */

import type { ReactNode } from 'react';
import { explain } from '../api/problem';
import { Icon, type IconName } from './Icon';

export function Skeleton({ rows = 3, className = '' }: { rows?: number; className?: string }) {
  return (
    <div className={`skeleton ${className}`} aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton-row" />
      ))}
    </div>
  );
}

/** Said aloud while skeletons are shown. */
export function LoadingNote() {
  return (
    <p className="visually-hidden" role="status">
      Carregando…
    </p>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={26} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className="empty" role="alert">
      <h2>Não foi possível carregar</h2>
      <p>{explain(error)}</p>
      <button type="button" className="button" onClick={onRetry}>
        Tentar de novo
      </button>
    </div>
  );
}
