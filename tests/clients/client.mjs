// The official Node client against a running API: client.mjs HOST:PORT grpc|rest
import assert from 'node:assert/strict';

import tasks from '@google-cloud/tasks';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';

const [address, transport] = process.argv.slice(2);
const [servicePath, port] = address.split(':');
const parent = `projects/node-${transport}/locations/local`;
const queue = `${parent}/queues/q`;
const url = 'http://worker.mare.internal/tasks/a';
const noQueue =
  'Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.';
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

const client = new tasks.CloudTasksClient(
  transport === 'grpc'
    ? { servicePath, port: Number(port), sslCreds: credentials.createInsecure() }
    : { fallback: 'rest', protocol: 'http', servicePath, port: Number(port), authClient: new PassThroughClient() },
);

async function refused(code, message, call) {
  const error = await call().then(
    () => assert.fail(`not refused: ${call}`),
    (error) => error,
  );
  // Over REST the whole answer is the message.
  const said = error.message.startsWith('{') ? JSON.parse(error.message).error.message : error.message;
  assert.ok(said.includes(message), error.message);
  // And the code that of HTTP.
  const status = { [NOT_FOUND]: 404, [ALREADY_EXISTS]: 409, [INVALID_ARGUMENT]: 400, [UNIMPLEMENTED]: 501 }[code];
  assert.ok([code, status].includes(Number(error.code)), `${error.code} ${error.message}`);
  return error;
}

async function queues() {
  const rateLimits = { maxDispatchesPerSecond: 5, maxConcurrentDispatches: 7 };
  const retryConfig = { maxAttempts: 3, minBackoff: { seconds: 0, nanos: 500_000_000 } };
  const wanted = { name: queue, rateLimits, retryConfig };
  const [created] = await client.createQueue({ parent, queue: wanted });
  assert.equal(created.rateLimits.maxBurstSize, 10);
  assert.equal(created.retryConfig.minBackoff.nanos, 500_000_000);
  assert.equal(created.state, 'RUNNING');
  const [found] = await client.getQueue({ name: queue });
  assert.deepEqual(found, created);
  await refused(ALREADY_EXISTS, 'Queue already exists', () => client.createQueue({ parent, queue: wanted }));

  rateLimits.maxDispatchesPerSecond = 9;
  retryConfig.maxAttempts = 99;
  const updateMask = { paths: ['rate_limits.max_dispatches_per_second'] };
  const [updated] = await client.updateQueue({ queue: wanted, updateMask });
  assert.equal(updated.rateLimits.maxDispatchesPerSecond, 9);
  assert.equal(updated.retryConfig.maxAttempts, 3);
  const [other] = await client.updateQueue({ queue: { name: `${parent}/queues/other` } });
  assert.equal(other.rateLimits.maxDispatchesPerSecond, 500);

  assert.equal((await client.pauseQueue({ name: queue }))[0].state, 'PAUSED');
  const names = [];
  for await (const each of client.listQueuesAsync({ parent, pageSize: 1 })) names.push(each.name);
  assert.deepEqual(names, [other.name, queue]);
  const [paused] = await client.listQueues({ parent, filter: 'state: PAUSED' });
  assert.deepEqual(paused.map((each) => each.name), [queue]);
  assert.equal((await client.resumeQueue({ name: queue }))[0].state, 'RUNNING');
  await client.deleteQueue({ name: other.name });
  await refused(NOT_FOUND, noQueue, () => client.getQueue({ name: other.name }));
  await refused(NOT_FOUND, 'Requested entity was not found.', () => client.deleteQueue({ name: other.name }));
}

function task(id, fields = {}) {
  const httpRequest = {
    url,
    httpMethod: 'PUT',
    headers: { 'X-Custom': 'Kept' },
    body: Buffer.from('\0hi'),
    oidcToken: { serviceAccountEmail: 'a@b' },
  };
  return { ...(id && { name: `${queue}/tasks/${id}` }), httpRequest, ...fields };
}

async function oneByOne() {
  await client.pauseQueue({ name: queue });
  const fields = { scheduleTime: { seconds: 1_577_836_800 }, dispatchDeadline: { seconds: 20 } };
  const [created] = await client.createTask({ parent: queue, task: task('t', fields) });
  assert.equal(created.name, `${queue}/tasks/t`);
  assert.equal(created.view, 'BASIC');
  assert.equal(Number(created.dispatchDeadline.seconds), 20);
  assert.ok(Number(created.scheduleTime.seconds) > 1_577_836_800, 'past is now');
  assert.equal(created.httpRequest.body.length, 0);
  assert.deepEqual({ ...created.httpRequest.headers }, { 'X-Custom': 'Kept', 'User-Agent': 'Google-Cloud-Tasks' });
  const [full] = await client.getTask({ name: created.name, responseView: 'FULL' });
  assert.equal(Buffer.from(full.httpRequest.body).toString(), '\0hi');
  assert.equal(full.httpRequest.httpMethod, 'PUT');
  const duplicate = () => client.createTask({ parent: queue, task: task('t') });
  await refused(ALREADY_EXISTS, 'Requested entity already exists', duplicate);

  const [ours] = await client.createTask({ parent: queue, task: task(), responseView: 'FULL' });
  const names = [];
  for await (const each of client.listTasksAsync({ parent: queue, pageSize: 1 })) names.push(each.name);
  assert.deepEqual(names.sort(), [created.name, ours.name].sort());
  const [ran] = await client.runTask({ name: ours.name });
  assert.equal(ran.dispatchCount, 1);
  assert.ok(Number(ran.firstAttempt.dispatchTime.seconds) > 1_577_836_800);

  await client.deleteTask({ name: created.name });
  await refused(NOT_FOUND, 'The task no longer exists', () => client.getTask({ name: created.name }));
  await refused(ALREADY_EXISTS, 'Requested entity already exists', duplicate);
  const [purged] = await client.purgeQueue({ name: queue });
  assert.ok(Number(purged.purgeTime.seconds) > 1_577_836_800);
  assert.deepEqual((await client.listTasks({ parent: queue }))[0], []);
}

async function errors() {
  await refused(INVALID_ARGUMENT, 'Task ID "a.b" can contain only letters', () =>
    client.createTask({ parent: queue, task: task('a.b') }));
  await refused(NOT_FOUND, noQueue, () =>
    client.createTask({ parent: `${parent}/queues/nobody`, task: { httpRequest: { url } } }));
  await refused(INVALID_ARGUMENT, 'is not allowed as a target', () =>
    client.createTask({ parent: queue, task: { httpRequest: { url: 'https://evil.example/' } } }));
  await refused(UNIMPLEMENTED, '', () => client.getIamPolicy({ resource: queue }));
}

// This client has no batches yet.
for (const step of [queues, oneByOne, errors]) {
  await step();
  console.log(step.name, 'done');
}
await client.deleteQueue({ name: queue });
await client.close();
