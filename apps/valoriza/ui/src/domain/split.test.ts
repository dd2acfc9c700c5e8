import { describe, expect, test } from 'vitest';
import { checkParts, complete, evenly, type Part, remaining } from './split';

const parts = (...amounts: string[]): Part[] =>
  amounts.map((amount, position) => ({ key: String(position), amount, categoryId: null, description: '' }));

test.each([
  [10_000, ['60,00', '40,00'], 0],
  [10_000, ['60,00', ''], 4_000],
  [10_000, ['60,00', 'x'], 4_000],
  [10_000, ['60,00', '40,01'], -1],
  // 0.1 + 0.2 is not 0.3 in binary fractions.
  [30, ['0,10', '0,20'], 0],
])('of %i, %j leave %i', (total, amounts, left) => expect(remaining(total, parts(...amounts))).toBe(left));

describe('parts become splits only when they sum', () => {
  test.each([
    [['60,00', '40,00'], []],
    [['100,00'], ['splits']],
    [['60,00', '40,01'], ['splits']],
    [['60,00', ''], ['splits.1.amount_cents']],
    [['100,00', '0'], ['splits.1.amount_cents']],
    [['150,00', '-50,00'], ['splits.1.amount_cents']],
  ])('%j', (amounts, fields) => {
    const verdict = checkParts(10_000, -1, parts(...amounts));
    expect(verdict.ok ? [] : Object.keys(verdict.errors)).toEqual(fields);
  });
});

test('splits have the sign of the whole', () => {
  const verdict = checkParts(10_000, -1, parts('60,00', '40,00'));
  expect(verdict.ok && verdict.splits.map((it) => it.amount_cents)).toEqual([-6_000, -4_000]);
});

test.each([
  [['60,00', ''], ['60,00', '40,00']],
  [['', ''], ['100,00', '']],
  [['60,00', '10,00'], ['60,00', '40,00']],
])('completing %j gives %j', (before, after) => {
  expect(complete(10_000, parts(...before)).map((it) => it.amount)).toEqual(after);
});

test('dividing evenly loses no centavo', () => {
  for (const [total, count] of [[10_000, 3], [1, 2], [99, 7], [100, 4]] as const) {
    const shares = evenly(total, count);
    expect(shares.reduce((sum, it) => sum + it, 0)).toBe(total);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  }
});
