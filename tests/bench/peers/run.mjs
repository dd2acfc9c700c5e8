// One measurement of one queue: creates tasks, has each make one HTTP POST, and waits until all are acknowledged.
//
//   node run.mjs QUEUE '{"tasks":20000,"creators":64,"batch":1,"concurrency":50,"sink":URL,"store":URL}'
//
// QUEUE is bullmq, graphile or mare (which pushes by itself: only creating is done here). Creating happens in a
// process of its own, as it does in applications. Prints one line of JSON: when the first creation began (seconds since
// 1970), seconds from then until the last was acknowledged, and until the last task was done.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [name, text, role] = process.argv.slice(2);
const options = JSON.parse(text);
const queue = await import(`./${name}.mjs`);

/** Calls `create(first, count)` until all tasks are created, so many at once. */
async function createAll(create) {
  let next = 0;
  const creator = async () => {
    while (next < options.tasks) {
      const first = next;
      next += options.batch;
      await create(first, Math.min(options.batch, options.tasks - first));
    }
  };
  await Promise.all(Array.from({ length: options.creators }, creator));
}

if (role === 'creator') {
  const creator = await queue.creator(options);
  process.once('message', async () => {
    const began = performance.now();
    const at = Date.now() / 1000;
    await createAll(creator.create);
    process.send({ began: at, created: (performance.now() - began) / 1000 });
    await creator.close();
    process.exit();
  });
  process.send('ready');
} else {
  const creating = fork(fileURLToPath(import.meta.url), [name, text, 'creator']);
  const message = () => new Promise((resolve) => creating.once('message', resolve));
  await message();
  const worker = await queue.worker?.(options);
  const began = performance.now();
  creating.send('go');
  const { began: at, created } = await message();
  await worker?.done;
  const done = worker && (performance.now() - began) / 1000;
  await worker?.close();
  console.log(JSON.stringify({ began: at, created, done: done ?? null }));
  // Connections that libraries leave open would keep it waiting.
  process.exit();
}
