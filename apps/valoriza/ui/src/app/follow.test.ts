import { expect, test } from 'vitest';
import { Problem } from '../api/problem';
import { follow, waitMs } from './follow';

/** What is shown and how long each wait was, when the server answers `answers` one after the other. */
async function followed(answers: (string | Error)[], settled: (it: string) => boolean = (it) => it === 'done') {
  const [shown, waits, failures]: [string[], number[], unknown[]] = [[], [], []];
  const abort = new AbortController();
  let next = 0;
  await follow({
    read: () => {
      const answer = answers[next];
      next += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? '');
    },
    settled,
    show: (it) => shown.push(it),
    fail: (error) => failures.push(error),
    pause: (ms) => {
      waits.push(ms);
      if (next >= answers.length) abort.abort();
      return Promise.resolve();
    },
    signal: abort.signal,
  });
  return { shown, waits, failures, reads: next };
}

test('it ends as soon as nothing more will happen', async () => {
  const { shown, reads } = await followed(['parsing', 'preview', 'done', 'never read']);
  expect(shown).toEqual(['parsing', 'preview', 'done']);
  expect(reads).toBe(3);
});

test('waits grow while nothing changes and are short again after a change', async () => {
  const { waits } = await followed(['a', 'a', 'a', 'b', 'done']);
  expect(waits).toEqual([waitMs(0), waitMs(1), waitMs(2), waitMs(0)]);
  expect(waitMs(2)).toBeGreaterThan(waitMs(1));
});

test('no wait is longer than the longest', () => {
  expect(waitMs(1_000)).toBe(5_000);
});

test('a passing failure is not shown, a lasting one is', async () => {
  const lost = Problem.unreachable();
  expect(await followed([lost, 'a', lost, 'done'])).toMatchObject({ shown: ['a', 'done'], failures: [] });
  expect(await followed([lost, lost, lost, lost, 'done'])).toMatchObject({ shown: [], failures: [lost], reads: 4 });
});

test('a refusal is final', async () => {
  const gone = new Problem(404, 'not_found', 'Não encontrado');
  expect(await followed([gone, 'done'])).toMatchObject({ failures: [gone], reads: 1 });
  const busy = new Problem(429, 'rate_limited', 'Devagar');
  expect(await followed([busy, 'done'])).toMatchObject({ failures: [], shown: ['done'] });
});
