import { useCallback, useEffect, useRef, useState } from 'react';
import * as finance from '../../api/finance';
import type { TransactionFilter } from '../../api/finance';
import type { Transaction } from '../../api/types';
import { useRevision } from '../../app/resource';

const PAGE = 50;

type State = { key: string; items: Transaction[] | null; cursor: string | null; error: unknown };

export type TransactionList = {
  items: Transaction[] | null;
  /** The items are still those of the filter before: better to look at than nothing. */
  stale: boolean;
  error: unknown;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  reload: () => void;
  /** Shows what a write answered, in place. */
  replace: (changed: Transaction) => void;
};

/** The list's pages so far. A change of filter starts over; after a write as much is read again as was shown. */
export function useTransactionList(filter: TransactionFilter): TransactionList {
  const key = JSON.stringify(filter);
  const revision = useRevision();
  const [attempt, setAttempt] = useState(0);
  const [loadingMore, setLoadingMore] = useState(false);
  const [state, setState] = useState<State>({ key, items: null, cursor: null, error: null });
  const latest = useRef(state);
  latest.current = state;

  useEffect(() => {
    const abort = new AbortController();
    const shown = latest.current.key === key ? (latest.current.items?.length ?? 0) : 0;
    finance.transactions.page(filter, null, Math.max(PAGE, shown), abort.signal).then(
      (page) => {
        if (!abort.signal.aborted) setState({ key, items: page.items, cursor: page.next_cursor, error: null });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ key, items: null, cursor: null, error });
      },
    );
    return () => abort.abort();
    // `filter` is determined by `key`.
  }, [key, revision, attempt]);

  const loadMore = useCallback(async () => {
    const { cursor } = latest.current;
    if (cursor === null) return;
    setLoadingMore(true);
    try {
      const page = await finance.transactions.page(filter, cursor, PAGE);
      // A filter changed or a reload done meanwhile has made this page's place void.
      setState((it) =>
        it.cursor === cursor ? { ...it, items: [...(it.items ?? []), ...page.items], cursor: page.next_cursor, error: null } : it,
      );
    } catch (error) {
      setState((it) => (it.cursor === cursor ? { ...it, error } : it));
    } finally {
      setLoadingMore(false);
    }
  }, [key]);

  const replace = useCallback((changed: Transaction) => {
    setState((it) => ({ ...it, items: it.items?.map((item) => (item.id === changed.id ? changed : item)) ?? null }));
  }, []);

  const isCurrent = state.key === key;
  return {
    items: state.items,
    stale: !isCurrent,
    error: isCurrent ? state.error : null,
    hasMore: isCurrent && state.cursor !== null,
    loadingMore,
    loadMore: () => void loadMore(),
    reload: useCallback(() => setAttempt((it) => it + 1), []),
    replace,
  };
}
