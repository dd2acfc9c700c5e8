import { explain, Problem } from '../api/problem';

/** Why a form was refused as a whole; after a conflict of versions, with a way to see the present one. */
export function FormError({ error, onReload }: { error: unknown; onReload?: () => void }) {
  const stale = error instanceof Problem && error.status === 412;
  return (
    <div role="alert">
      {error !== null && (
        <div className="alert">
          <span>{explain(error)}</span>
          {stale && onReload && (
            <button type="button" className="button button-small" onClick={onReload}>
              Recarregar
            </button>
          )}
        </div>
      )}
    </div>
  );
}
