import { Logger, makeWorkerUtils, run } from 'graphile-worker';

import { bodyOf, countdown, poster } from './post.mjs';

const logger = new Logger(() => () => {});

export async function creator({ store, creators }) {
  const utils = await makeWorkerUtils({ connectionString: store, maxPoolSize: Math.min(creators, 64), logger });
  await utils.migrate();
  const job = (n) => ({ identifier: 'post', payload: { body: bodyOf(n) } });
  const create = (first, count) =>
    count === 1
      ? utils.addJob('post', job(first).payload)
      : utils.addJobs(Array.from({ length: count }, (_, n) => job(first + n)));
  return { create, close: () => utils.release() };
}

// Its documentation's settings for throughput: a local queue, and completion in batches.
export async function worker(settings) {
  const post = poster(settings);
  const { done, tick } = countdown(settings.tasks);
  const runner = await run({
    connectionString: settings.store,
    concurrency: settings.concurrency,
    pollInterval: 2000,
    maxPoolSize: 20,
    noHandleSignals: true,
    logger,
    taskList: { post: async ({ body }) => post(body) },
    preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
  runner.events.on('job:complete', tick);
  return { done, close: () => runner.stop() };
}
