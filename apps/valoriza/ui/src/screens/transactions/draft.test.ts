import { describe, expect, test } from 'vitest';
import type { Transaction } from '../../api/types';
import { bodyOf, changeOf, checkDraft, type Draft, draftOf, newPart } from './draft';

const draft = (change: Partial<Draft>): Draft => ({
  flow: 'expense', amount: '100,00', description: ' Feira ', accountId: 'a', toAccountId: 'b', categoryId: 'c',
  date: '2026-11-21', notes: '', tags: '', parts: null, ...change,
});

const transaction = (change: Partial<Transaction>): Transaction => ({
  id: 't', account_id: 'a', date: '2026-11-21', description: 'Feira', notes: null, amount_cents: -10_000, currency: 'BRL',
  category_id: 'c', kind: 'normal', transfer_id: null, transfer_account_id: null, splits: [], version: 1,
  created_at: '', updated_at: '', tags: [], categorised: null, suggestion: null, import_id: null, ...change,
});

test('money out is negative, money in positive, money moved positive', () => {
  const amount = (change: Partial<Draft>) => {
    const verdict = checkDraft(draft(change));
    return verdict.ok && verdict.body.amount_cents;
  };
  expect(amount({})).toBe(-10_000);
  expect(amount({ flow: 'income' })).toBe(10_000);
  expect(amount({ flow: 'transfer' })).toBe(10_000);
});

describe('mistakes are named as the server names them', () => {
  test.each<[Partial<Draft>, string[]]>([
    [{ amount: '' }, ['amount_cents']],
    [{ amount: '0' }, ['amount_cents']],
    [{ amount: '-1' }, ['amount_cents']],
    [{ description: ' ', date: '2026-02-30' }, ['description', 'date']],
    [{ flow: 'transfer', toAccountId: 'a' }, ['transfer_account_id']],
    [{ parts: [newPart(6_000), newPart(3_999)] }, ['splits']],
  ])('%j', (change, fields) => {
    const verdict = checkDraft(draft(change));
    expect(verdict.ok ? [] : Object.keys(verdict.errors)).toEqual(fields);
  });
});

test('a divided transaction has categories only in its parts', () => {
  const verdict = checkDraft(draft({ parts: [newPart(6_000), newPart(4_000)] }));
  expect(verdict).toMatchObject({ ok: true, body: { category_id: null, splits: [{ amount_cents: -6_000 }, { amount_cents: -4_000 }] } });
});

test('parts are forgotten when the money is moved between accounts', () => {
  const verdict = checkDraft(draft({ flow: 'transfer', parts: [newPart(1)] }));
  expect(verdict.ok && verdict.body).not.toHaveProperty('splits');
});

test('what was deleted can be made again as it was', () => {
  expect(bodyOf(transaction({}))).toEqual({
    account_id: 'a', date: '2026-11-21', description: 'Feira', notes: null, amount_cents: -10_000, category_id: 'c', splits: [], tags: [],
  });
  expect(bodyOf(transaction({ tags: ['casa', 'férias'] }))).toMatchObject({ tags: ['casa', 'férias'] });
  const split = { id: 's', category_id: 'c', amount_cents: -5_000, description: null };
  expect(bodyOf(transaction({ category_id: null, splits: [split, split] }))).toMatchObject({ splits: [{ amount_cents: -5_000 }, { amount_cents: -5_000 }] });
});

test('only what the person changed is sent', () => {
  const sent = (it: Transaction, change: Partial<Draft>) => {
    const verdict = checkDraft({ ...draftOf(it), ...change });
    return verdict.ok ? changeOf(it, verdict.body) : verdict.errors;
  };
  // The category found while the form was open is not taken away by a form that does not know of it.
  expect(sent(transaction({ category_id: null }), { notes: 'presente' })).toEqual({ notes: 'presente' });
  expect(sent(transaction({}), { categoryId: null })).toEqual({ category_id: null });
  expect(sent(transaction({}), {})).toEqual({});
  const transfer = transaction({ kind: 'transfer', category_id: null, transfer_account_id: 'b' });
  expect(sent(transfer, { amount: '50,00' })).toEqual({ amount_cents: 5_000 });
  const split = { id: 's', category_id: 'c', amount_cents: -5_000, description: null };
  expect(sent(transaction({ category_id: null, splits: [split, split] }), { parts: null })).toEqual({ splits: [] });
});

test('either side of a transfer shows it from where the money left', () => {
  const out = { kind: 'transfer', category_id: null, account_id: 'a', transfer_account_id: 'b' } as const;
  const into = { ...out, account_id: 'b', transfer_account_id: 'a', amount_cents: 10_000 };
  expect(draftOf(transaction(out))).toMatchObject({ flow: 'transfer', accountId: 'a', toAccountId: 'b', amount: '100,00' });
  expect(draftOf(transaction(into))).toMatchObject({ flow: 'transfer', accountId: 'a', toAccountId: 'b', amount: '100,00' });
});
