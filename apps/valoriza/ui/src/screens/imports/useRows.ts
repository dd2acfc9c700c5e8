import { useCallback, useEffect, useState } from 'react';
import { type Import, type ImportRow, imports, ROWS_MAX, type RowStatus } from '../../api/imports';

type State = { key: string; rows: ImportRow[] | null; cursor: string | null; error: unknown };

/** The rows of one status, page by page, read again whenever the import has another version. */
export function useRows(it: Import, status: RowStatus | null) {
  const key = `${it.id} ${status ?? ''}`;
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<State>({ key, rows: null, cursor: null, error: null });
  const shown = state.key === key ? (state.rows?.length ?? 0) : 0;

  useEffect(() => {
    const abort = new AbortController();
    imports.rows(it.id, status, null, Math.min(ROWS_MAX, Math.max(100, shown)), abort.signal).then(
      (page) => !abort.signal.aborted && setState({ key, rows: page.items, cursor: page.next_cursor, error: null }),
      (error: unknown) => !abort.signal.aborted && setState({ key, rows: null, cursor: null, error }),
    );
    return () => abort.abort();
  }, [key, it.version, attempt]);

  const more = useCallback(async () => {
    if (state.cursor === null) return;
    try {
      const page = await imports.rows(it.id, status, state.cursor);
      setState((now) => (now.cursor === state.cursor ? { ...now, rows: [...(now.rows ?? []), ...page.items], cursor: page.next_cursor } : now));
    } catch (error) {
      setState((now) => ({ ...now, error }));
    }
  }, [key, state.cursor]);

  const isCurrent = state.key === key;
  return {
    rows: isCurrent ? state.rows : null,
    error: isCurrent ? state.error : null,
    hasMore: isCurrent && state.cursor !== null,
    more: () => void more(),
    reload: () => setAttempt((times) => times + 1),
  };
}
