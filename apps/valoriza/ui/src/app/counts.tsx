/** How much waits for the person: transactions to review and notifications unread. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { review } from '../api/categorisation';
import { notifications } from '../api/notifications';
import { pauseWhileSeen, waitMs } from './follow';
import { useRevision } from './resource';
import { usePath } from './router';

type Counts = { review: number; unread: number; refresh: () => void };

const FIRST_MS = 2_000;
/** Much rarer than a service scaled to zero takes to stop: someone reading keeps nothing awake. */
const LONGEST_MS = 15 * 60_000;

const Context = createContext<Counts | null>(null);

/** Reads again when the person does something, then ever more rarely, as the background may still be at work. */
export function CountsProvider({ children }: { children: ReactNode }) {
  const path = usePath();
  const revision = useRevision();
  const [asked, setAsked] = useState(0);
  const [counts, setCounts] = useState({ review: 0, unread: 0 });

  useEffect(() => {
    const abort = new AbortController();
    void keepCounting(setCounts, abort.signal);
    return () => abort.abort();
  }, [path, revision, asked]);

  const value = useMemo(() => ({ ...counts, refresh: () => setAsked((it) => it + 1) }), [counts]);
  return <Context value={value}>{children}</Context>;
}

async function keepCounting(show: (counts: { review: number; unread: number }) => void, signal: AbortSignal): Promise<void> {
  for (let times = 0; !signal.aborted; times += 1) {
    // A badge that cannot be read keeps what it had: no screen depends on it.
    const read = await Promise.all([review.count(signal), notifications.unread(signal)]).catch(() => null);
    if (signal.aborted) return;
    if (read) show({ review: read[0], unread: read[1] });
    await pauseWhileSeen(waitMs(times, FIRST_MS, LONGEST_MS), signal);
  }
}

export function useCounts(): Counts {
  const value = useContext(Context);
  if (!value) throw new Error('useCounts is used outside of CountsProvider');
  return value;
}
