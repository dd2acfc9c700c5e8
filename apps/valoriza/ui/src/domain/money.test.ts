import { describe, expect, test } from 'vitest';
import { AMOUNT_CENTS_MAX, formatAmount, formatBrief, formatMoney, parseMoney, percentChange } from './money';

describe('amounts are read as Brazilians write them', () => {
  test.each([
    ['1.234,56', 123_456],
    ['1234,56', 123_456],
    ['1234,5', 123_450],
    ['10', 1_000],
    ['0,01', 1],
    ['R$ 10,07', 1_007],
    ['R$\u00a01.000.000,00', 100_000_000],
    ['-R$ 0,01', -1],
    ['\u22127,00', -700],
    ['000,10', 10],
    // 4.35 * 100 is 434.99999999999994 in binary fractions.
    ['4,35', 435],
    ['1.115,10', 111_510],
    ['0', 0],
    ['-0', 0],
    ['10.000.000.000,00', AMOUNT_CENTS_MAX],
  ])('%s', (text, cents) => expect(parseMoney(text)).toEqual({ ok: true, cents }));
});

describe('what is not an amount is refused', () => {
  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['12.34', 'malformed'],
    ['12.34,00', 'malformed'],
    ['1.2345,00', 'malformed'],
    ['1,234', 'malformed'],
    ['1,', 'malformed'],
    [',50', 'malformed'],
    ['1e3', 'malformed'],
    ['--1', 'malformed'],
    ['dez', 'malformed'],
    ['10.000.000.000,01', 'too_large'],
    ['99999999999999999999', 'too_large'],
  ])('%s', (text, problem) => expect(parseMoney(text)).toEqual({ ok: false, problem }));
});

test('what is written reads back', () => {
  const edges = [0, 1, 9, 10, 99, 100, 101, 99_999, 100_000, 123_456_789, AMOUNT_CENTS_MAX];
  for (const cents of [...edges, ...edges.filter((it) => it > 0).map((it) => -it)]) {
    expect(parseMoney(formatMoney(cents))).toEqual({ ok: true, cents });
    expect(parseMoney(formatAmount(cents))).toEqual({ ok: true, cents });
  }
});

test('money is written with its symbol, grouping and sign', () => {
  expect(formatMoney(123_456)).toBe('R$\u00a01.234,56');
  expect(formatMoney(-5)).toBe('\u2212R$\u00a00,05');
  expect(formatMoney(100, 'USD')).toBe('US$\u00a01,00');
  expect(formatAmount(100_000_000)).toBe('1.000.000,00');
});

test('axes are brief', () => {
  expect(formatBrief(150_000)).toBe('1,5 mil');
  expect(formatBrief(-250_000_000)).toBe('-2,5 mi');
  expect(formatBrief(99_900)).toBe('999');
});

test('a change is relative to what was, whatever its sign', () => {
  expect(percentChange(150, 100)).toBe(50);
  expect(percentChange(-50, -100)).toBe(50);
  expect(percentChange(10, 0)).toBeNull();
});
