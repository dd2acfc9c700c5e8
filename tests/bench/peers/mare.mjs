// Maré pushes by itself, so there is only creating: its REST API, over kept connections.
import { Pool } from 'undici';

import { bodyOf } from './post.mjs';

export async function creator({ store, creators }) {
  const { origin, pathname } = new URL(store);
  const pool = new Pool(origin, { connections: creators, pipelining: 1 });
  const headers = { 'content-type': 'application/json' };
  const task = (n) => ({
    httpRequest: {
      url: 'http://sink.mare.internal/',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(bodyOf(n)).toString('base64'),
    },
  });
  const send = async (path, message) => {
    const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(message) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${text}`);
  };
  const parent = pathname.replace(/^\/v2\//, '');
  const create = (first, count) =>
    count === 1
      ? send(`${pathname}/tasks`, { task: task(first) })
      : send(`${pathname}/tasks:batchCreate`, {
          requests: Array.from({ length: count }, (_, n) => ({ parent, task: task(first + n) })),
        });
  return { create, close: () => pool.close() };
}
