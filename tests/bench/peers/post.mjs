// The effect of a task, the same for all: one POST over kept connections.
import { Pool } from 'undici';

/** Returns a function that posts a task's body and fails unless the answer is 2xx. */
export function poster({ sink, concurrency }) {
  const { origin, pathname } = new URL(sink);
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  return async (body) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await pool.request({ path: pathname, method: 'POST', headers, body });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`the sink answered ${answer.statusCode}`);
  };
}

/** The body of task `n`: its number, and as many bytes as are usual. */
export const bodyOf = (n) => String(n).padStart(10, '0').padEnd(500, 'x');

/** Resolves when it was called `count` times. */
export function countdown(count) {
  let resolve;
  const done = new Promise((it) => (resolve = it));
  return { done, tick: () => --count === 0 && resolve() };
}
