/**
 * Tells whether some request is taking long. An application scaled to zero answers its first request only
 * after it has started; saying so is better than a page that seems stuck.
 */

/** Longer than any warm answer, shorter than people's patience. */
const SLOW_MS = 1_000;

const listeners = new Set<() => void>();
let slowRequests = 0;

function change(by: 1 | -1): void {
  slowRequests += by;
  for (const listener of listeners) listener();
}

/** Runs `work`, counted as slow from its first second to its end. */
export async function watched<T>(work: () => Promise<T>): Promise<T> {
  let slow = false;
  const timer = setTimeout(() => {
    slow = true;
    change(1);
  }, SLOW_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (slow) change(-1);
  }
}

export function isSlow(): boolean {
  return slowRequests > 0;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
