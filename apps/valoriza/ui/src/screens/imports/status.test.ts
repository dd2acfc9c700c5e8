import { expect, test } from 'vitest';
import type { Import, ImportStatus, Statement } from '../../api/imports';
import { countText, isDiscardable, isWorking, kindOf, obstacle, totalsOf } from './status';

const ALL: ImportStatus[] = ['parsing', 'needs_mapping', 'preview', 'committing', 'done', 'failed', 'undoing', 'undone'];

const statement = (change: Partial<Statement>): Statement => ({
  index: 0, label: 'Conta', account_id: 'a', currency: 'BRL', from: null, to: null, rows: 3, new: 2, duplicate: 1, invalid: 0,
  warnings: [], ...change,
});

const it = (change: Partial<Import>): Import => ({
  id: 'i', filename: 'extrato.ofx', status: 'preview', format: 'ofx', profile: 'ofx', statements: [statement({})], rows_total: 3,
  rows_included: 0, rows_done: 0, error: null, warnings: [], created_at: '', updated_at: '', version: 1, ...change,
});

test('an import is followed exactly while the server works on it', () => {
  expect(ALL.filter(isWorking)).toEqual(['parsing', 'committing', 'undoing']);
});

test('what has left transactions in the accounts, or may yet, is not simply forgotten', () => {
  expect(ALL.filter(isDiscardable)).toEqual(['parsing', 'needs_mapping', 'preview', 'failed', 'undone']);
});

test('it is imported only once every statement that brings something has its account', () => {
  expect(obstacle(it({}))).toBeNull();
  expect(obstacle(it({ statements: [statement({}), statement({ index: 1, account_id: null, new: 0, duplicate: 0, invalid: 3 })] }))).toBeNull();
  expect(obstacle(it({ statements: [statement({}), statement({ index: 1, account_id: null })] }))).toMatch(/conta/);
  expect(obstacle(it({ status: 'parsing' }))).not.toBeNull();
});

test('the counts of all statements add up and are said in words', () => {
  const totals = totalsOf([statement({}), statement({ index: 1, rows: 4, new: 0, duplicate: 3, invalid: 1 })]);
  expect(totals).toEqual({ rows: 7, new: 2, duplicate: 4, invalid: 1 });
  expect(countText(totals)).toBe('2 novas, 4 repetidas, 1 com erro');
  expect(countText({ rows: 1, new: 1, duplicate: 1, invalid: 0 })).toBe('1 nova, 1 repetida');
});

test('a file is named by its bank, else by its format', () => {
  expect(kindOf(it({ profile: 'nubank_card' }))).toBe('Nubank, cartão');
  expect(kindOf(it({ profile: null, format: 'csv' }))).toBe('CSV');
  expect(kindOf(it({ profile: null, format: null }))).toBeNull();
});
