/**
 * The review's list as it is worked through: which item is the current one, and which are on their way to the
 * server. An item leaves only when the server has said so.
 */

import type { ReviewItem } from '../../api/categorisation';

export type Queue = {
  items: readonly ReviewItem[];
  current: string | null;
  sending: ReadonlySet<string>;
};

export const EMPTY: Queue = { items: [], current: null, sending: new Set() };

const idOf = (it: ReviewItem) => it.transaction.id;

/** Puts another page behind what is there; what is known already stays where it is. */
export function append(queue: Queue, items: readonly ReviewItem[]): Queue {
  const known = new Set(queue.items.map(idOf));
  const all = [...queue.items, ...items.filter((it) => !known.has(idOf(it)))];
  return { ...queue, items: all, current: queue.current ?? firstFree(all, queue.sending) };
}

/** What the server has now, in its order; the current item stays the current one if it is still there. */
export function refresh(queue: Queue, items: readonly ReviewItem[], current = queue.current): Queue {
  const kept = items.some((it) => idOf(it) === current);
  return { ...queue, items, current: kept ? current : firstFree(items, queue.sending) };
}

export function currentOf(queue: Queue): ReviewItem | null {
  return queue.items.find((it) => idOf(it) === queue.current) ?? null;
}

function firstFree(items: readonly ReviewItem[], sending: ReadonlySet<string>): string | null {
  const free = items.find((it) => !sending.has(idOf(it)));
  return free ? idOf(free) : null;
}

/** Goes to the next or previous item that waits for the person; at an end it stays. */
export function step(queue: Queue, by: 1 | -1): Queue {
  const from = queue.items.findIndex((it) => idOf(it) === queue.current);
  for (let at = from + by; at >= 0 && at < queue.items.length; at += by) {
    const item = queue.items[at];
    if (item && !queue.sending.has(idOf(item))) return { ...queue, current: idOf(item) };
  }
  return queue;
}

/** After the current item was answered the next one is looked at; after the last, the one before it. */
function advance(queue: Queue): Queue {
  const next = step(queue, 1);
  if (next.current !== queue.current) return next;
  const before = step(queue, -1);
  return before.current !== queue.current ? before : { ...queue, current: null };
}

export function sent(queue: Queue, ids: readonly string[]): Queue {
  const sending = new Set([...queue.sending, ...ids]);
  const next = { ...queue, sending };
  return queue.current !== null && sending.has(queue.current) ? advance(next) : next;
}

/** The server has done it: they leave. */
export function settled(queue: Queue, ids: readonly string[]): Queue {
  const gone = new Set(ids);
  const sending = new Set([...queue.sending].filter((id) => !gone.has(id)));
  const free = queue.current !== null && gone.has(queue.current) ? advance({ ...queue, sending: new Set([...sending, ...gone]) }) : queue;
  return { items: queue.items.filter((it) => !gone.has(idOf(it))), current: free.current, sending };
}

/** The server has refused it: they stay, and the first of them is looked at again. */
export function refused(queue: Queue, ids: readonly string[]): Queue {
  const back = new Set(ids);
  const sending = new Set([...queue.sending].filter((id) => !back.has(id)));
  return { ...queue, sending, current: ids[0] ?? queue.current };
}

export function focusOn(queue: Queue, id: string): Queue {
  return queue.sending.has(id) || queue.current === id ? queue : { ...queue, current: id };
}

/** To the end of the list, to be seen again after the others. */
export function skip(queue: Queue): Queue {
  const item = currentOf(queue);
  if (!item || queue.items.length < 2) return queue;
  const next = advance(queue);
  return { ...next, items: [...queue.items.filter((it) => it !== item), item] };
}

/** Those shown whose suggestion is at least so sure and not on its way. */
export function acceptable(queue: Queue, percent: number): string[] {
  return queue.items
    .filter((it) => it.suggestion !== null && Math.round(it.suggestion.confidence * 1e4) >= percent * 100 && !queue.sending.has(idOf(it)))
    .map(idOf);
}
