import type { ImportStatus } from '../../api/imports';
import { meaningOf } from './status';

export function StatusChip({ status }: { status: ImportStatus }) {
  const { label, tone } = meaningOf(status);
  return (
    <span className={`chip chip-${tone}`}>
      {tone === 'busy' && <span className="spinner" aria-hidden="true" />}
      {label}
    </span>
  );
}
