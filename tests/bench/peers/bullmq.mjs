import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';

import { bodyOf, countdown, poster } from './post.mjs';

const connect = ({ store }) => new IORedis(store, { maxRetriesPerRequest: null });
const options = { removeOnComplete: true, removeOnFail: true, attempts: 10 };

export async function creator(settings) {
  const queue = new Queue('bench', { connection: connect(settings) });
  await queue.waitUntilReady();
  const job = (n) => ({ name: 'post', data: { body: bodyOf(n) }, opts: options });
  const create = (first, count) =>
    count === 1
      ? queue.add('post', { body: bodyOf(first) }, options)
      : queue.addBulk(Array.from({ length: count }, (_, n) => job(first + n)));
  return { create, close: () => queue.close() };
}

export async function worker(settings) {
  const post = poster(settings);
  const { done, tick } = countdown(settings.tasks);
  const { concurrency } = settings;
  const worker = new Worker('bench', (job) => post(job.data.body), { connection: connect(settings), concurrency });
  worker.on('completed', tick);
  await worker.waitUntilReady();
  return { done, close: () => worker.close() };
}
