/**
 * What screens read from the server. A screen shown again first shows what it last had and then the present;
 * after a write `invalidate` makes everything on screen read again, so that no sum is left stale.
 */

import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

export type Resource<T> = { data: T | null; error: unknown; reload: () => void };

const cache = new Map<string, unknown>();
const listeners = new Set<() => void>();
let revision = 0;

export function invalidate(): void {
  revision += 1;
  for (const listener of listeners) listener();
}

/** Forgets everything: what one person read is not shown to the next. */
export function forgetAll(): void {
  cache.clear();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRevision(): number {
  return useSyncExternalStore(subscribe, () => revision);
}

/** `read` must depend on nothing but `key`. */
export function useResource<T>(key: string, read: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const current = useRevision();
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<{ key: string; data: T | null; error: unknown }>({ key, data: null, error: null });

  useEffect(() => {
    const abort = new AbortController();
    read(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        cache.set(key, data);
        setAnswer({ key, data, error: null });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswer({ key, data: null, error });
      },
    );
    return () => abort.abort();
    // `read` is determined by `key`.
  }, [key, current, attempt]);

  const reload = useCallback(() => setAttempt((it) => it + 1), []);
  const isCurrent = answer.key === key;
  const data = (isCurrent ? answer.data : null) ?? ((cache.get(key) as T | undefined) ?? null);
  return { data, error: isCurrent ? answer.error : null, reload };
}
