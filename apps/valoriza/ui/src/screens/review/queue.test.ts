import { expect, test } from 'vitest';
import type { ReviewItem } from '../../api/categorisation';
import { acceptable, append, currentOf, EMPTY, type Queue, refresh, refused, sent, settled, skip, step } from './queue';

const item = (id: string, confidence: number | null = 0.5): ReviewItem => ({
  transaction: {
    id, account_id: 'a', date: '2026-11-21', description: id, notes: null, amount_cents: -100, currency: 'BRL', category_id: null,
    kind: 'normal', transfer_id: null, transfer_account_id: null, splits: [], tags: [], categorised: null, suggestion: null,
    import_id: null, version: 1, created_at: '', updated_at: '',
  },
  suggestion: confidence === null ? null : { category_id: 'c', confidence, source: 'model', reason: 'porque sim' },
  alternatives: [],
});

const queue = (...ids: string[]): Queue => append(EMPTY, ids.map((id) => item(id)));
const at = (it: Queue, current: string): Queue => ({ ...it, current });
const ids = (it: Queue) => it.items.map((of) => of.transaction.id).join('');

test('the first of a page is the current one, and another page changes nothing before it', () => {
  const first = queue('x', 'y');
  expect(currentOf(first)?.transaction.id).toBe('x');
  const more = append(at(first, 'y'), [item('y'), item('z')]);
  expect([ids(more), more.current]).toEqual(['xyz', 'y']);
});

test('stepping stops at the ends and passes over what is on its way', () => {
  const three = queue('x', 'y', 'z');
  expect(step(three, -1).current).toBe('x');
  expect(step(at(three, 'z'), 1).current).toBe('z');
  expect(step(sent(three, ['y']), 1).current).toBe('z');
});

test('what is sent stays in the list until the server has answered', () => {
  const waiting = sent(queue('x', 'y'), ['x']);
  expect([ids(waiting), waiting.current]).toEqual(['xy', 'y']);
  const done = settled(waiting, ['x']);
  expect([ids(done), done.current, done.sending.size]).toEqual(['y', 'y', 0]);
});

test('a refused one is looked at again', () => {
  const back = refused(sent(queue('x', 'y'), ['x']), ['x']);
  expect([ids(back), back.current, back.sending.size]).toEqual(['xy', 'x', 0]);
});

test('after the last one the one before it is looked at, and at last none', () => {
  const last = settled(sent(at(queue('x', 'y'), 'y'), ['y']), ['y']);
  expect(last.current).toBe('x');
  expect(settled(sent(last, ['x']), ['x'])).toEqual(EMPTY);
});

test('others that were done with it leave as well, the current one among them', () => {
  const done = settled(sent(queue('x', 'y', 'z'), ['x']), ['x', 'y']);
  expect([ids(done), done.current]).toEqual(['z', 'z']);
});

test('a skipped one comes again after the others', () => {
  const skipped = skip(queue('x', 'y', 'z'));
  expect([ids(skipped), skipped.current]).toEqual(['yzx', 'y']);
  expect(skip(queue('x'))).toEqual(queue('x'));
});

test('all above a confidence are those shown, with a suggestion, not on their way', () => {
  const all = append(EMPTY, [item('u', 0.95), item('v', 0.9), item('w', 0.8999), item('x', null), item('y', 0.99)]);
  expect(acceptable(sent(all, ['y']), 90)).toEqual(['u', 'v']);
});

test('read again, the current item stays unless it is gone; one brought back may become it', () => {
  const here = at(queue('x', 'y'), 'y');
  expect(refresh(here, [item('w'), item('y')]).current).toBe('y');
  expect(refresh(here, [item('w'), item('x')]).current).toBe('w');
  expect(refresh(here, [item('w'), item('y')], 'w').current).toBe('w');
  expect(refresh(here, []).current).toBeNull();
});
