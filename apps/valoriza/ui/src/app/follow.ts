/**
 * Follows what the server works on by reading it again: soon after each change, ever more rarely while nothing
 * happens, not at all while nobody looks. An application that could scale to zero is not kept awake by a page
 * someone left open.
 */

import { useCallback, useEffect, useState } from 'react';
import { Problem } from '../api/problem';

const FIRST_MS = 300;
const GROWTH = 1.5;
/** People notice a longer wait; the server does not notice a read each five seconds. */
const LONGEST_MS = 5_000;
/** Reads that fail in a row before it is said. A service that is being replaced is back sooner. */
const FAILURES_MAX = 4;

export function waitMs(unchanged: number, first = FIRST_MS, longest = LONGEST_MS): number {
  return Math.min(longest, Math.round(first * GROWTH ** unchanged));
}

type Following<T> = {
  read: (signal: AbortSignal) => Promise<T>;
  /** Nothing more will happen by itself. */
  settled: (data: T) => boolean;
  show: (data: T) => void;
  fail: (error: unknown) => void;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  signal: AbortSignal;
};

/** Ends when it has settled, when it was refused, when it failed too often, or with the signal. */
export async function follow<T>({ read, settled, show, fail, pause, signal }: Following<T>): Promise<void> {
  let [unchanged, failures, last] = [0, 0, ''];
  while (!signal.aborted) {
    try {
      const data = await read(signal);
      if (signal.aborted) return;
      failures = 0;
      const text = JSON.stringify(data);
      if (text !== last) {
        [unchanged, last] = [0, text];
        show(data);
      }
      if (settled(data)) return;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const refused = error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (refused || failures >= FAILURES_MAX) return fail(error);
    }
    await pause(waitMs(unchanged), signal);
    unchanged += 1;
  }
}

/** Waits, and on a page in the background until it is seen again. */
export async function pauseWhileSeen(ms: number, signal: AbortSignal): Promise<void> {
  await happens(signal, (done) => {
    const timer = setTimeout(done, ms);
    return () => clearTimeout(timer);
  });
  if (signal.aborted || !document.hidden) return;
  await happens(signal, (done) => {
    document.addEventListener('visibilitychange', done);
    return () => document.removeEventListener('visibilitychange', done);
  });
}

function happens(signal: AbortSignal, start: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = start(done);
    signal.addEventListener('abort', done);
  });
}

export type Followed<T> = {
  data: T | null;
  error: unknown;
  /** Starts over, from what is shown. */
  again: () => void;
  /** Shows what a write answered, and follows from there. */
  put: (data: T) => void;
};

/** `read` and `settled` must depend on nothing but `key`. */
export function useFollowed<T>(key: string, read: Following<T>['read'], settled: Following<T>['settled']): Followed<T> {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<{ key: string; data: T | null; error: unknown }>({ key, data: null, error: null });

  useEffect(() => {
    const abort = new AbortController();
    void follow({
      read, settled, pause: pauseWhileSeen, signal: abort.signal,
      show: (data) => setState({ key, data, error: null }),
      fail: (error) => setState((it) => ({ key, data: it.key === key ? it.data : null, error })),
    });
    return () => abort.abort();
    // `read` and `settled` are determined by `key`.
  }, [key, attempt]);

  const again = useCallback(() => setAttempt((it) => it + 1), []);
  const put = useCallback((data: T) => {
    setState({ key, data, error: null });
    setAttempt((it) => it + 1);
  }, [key]);
  const isCurrent = state.key === key;
  return { data: isCurrent ? state.data : null, error: isCurrent ? state.error : null, again, put };
}
