import { expect, test } from 'vitest';
import * as calendar from './calendar';

test('today is São Paulo’s, also when London is a day ahead', () => {
  expect(calendar.today(new Date('2026-11-22T02:59:59Z'))).toBe('2026-11-21');
  expect(calendar.today(new Date('2026-11-22T03:00:00Z'))).toBe('2026-11-22');
  expect(calendar.currentMonth(new Date('2026-12-01T01:00:00Z'))).toBe('2026-11');
});

test.each([
  ['2026-11', 1, '2026-12'],
  ['2026-12', 1, '2027-01'],
  ['2026-01', -1, '2025-12'],
  ['2026-11', -23, '2024-12'],
  ['2026-11', 0, '2026-11'],
])('%s plus %i months is %s', (month, count, expected) => expect(calendar.addMonths(month, count)).toBe(expected));

test('months end where the calendar says', () => {
  expect(calendar.lastDay('2026-02')).toBe('2026-02-28');
  expect(calendar.lastDay('2028-02')).toBe('2028-02-29');
  expect(calendar.lastDay('2026-12')).toBe('2026-12-31');
  expect(calendar.firstDay('2026-12')).toBe('2026-12-01');
});

test('only real days and months are accepted', () => {
  expect(calendar.isDate('2026-02-28')).toBe(true);
  expect(calendar.isDate('2026-02-30')).toBe(false);
  expect(calendar.isDate('2026-2-3')).toBe(false);
  expect(calendar.isMonth('2026-12')).toBe(true);
  expect(calendar.isMonth('2026-13')).toBe(false);
});

test('days have the names people use', () => {
  expect(calendar.dayName('2026-11-21', '2026-11-21')).toBe('Hoje');
  expect(calendar.dayName('2026-10-31', '2026-11-01')).toBe('Ontem');
  expect(calendar.dayName('2026-11-19', '2026-11-21')).toBe('quinta-feira, 19 de novembro');
  expect(calendar.dayName('2025-11-19', '2026-11-21')).toContain('2025');
  expect(calendar.monthName('2026-11')).toBe('novembro de 2026');
  expect(calendar.shortDate('2026-11-09')).toBe('09/11/2026');
});
