import { expect, test } from 'vitest';
import type { Sample } from '../../api/imports';
import { checkMapping, guess, previewOf, readAmount, readDate } from './mapping';

test.each([
  ['1.234,56', 'comma', 123_456],
  ['-0,07', 'comma', -7],
  ['R$ 1.000', 'comma', 100_000],
  ['10,5', 'comma', 1_050],
  ['12,34-', 'comma', -1_234],
  ['(12,34)', 'comma', -1_234],
  ['(12,34', 'comma', null],
  ['12,34 D', 'comma', -1_234],
  ['12,34 C', 'comma', 1_234],
  ['12.34', 'comma', null],
  ['1.23.4', 'comma', null],
  ['10,005', 'comma', null],
  ['-.50', 'point', -50],
  ['25.0000', 'point', 2_500],
  ['-', 'comma', null],
  ['\u221212,34', 'comma', -1_234],
  ['1,234.56', 'point', 123_456],
  ['-150.00', 'point', -15_000],
  ['12.345', 'point', null],
  ['1,2,3', 'comma', null],
  ['', 'comma', null],
  ['abc', 'comma', null],
  ['99999999999999999999', 'comma', null],
] as const)('%s with a decimal %s is %s centavos', (text, decimal, cents) => {
  expect(readAmount(text, decimal)).toBe(cents);
});

test.each([
  ['31/12/2026', 'dd/mm/yyyy', '2026-12-31'],
  ['1/2/2026', 'dd/mm/yyyy', '2026-02-01'],
  ['31-12-26', 'dd/mm/yy', '2026-12-31'],
  ['2026-12-31 10:00', 'yyyy-mm-dd', '2026-12-31'],
  ['12/31/2026', 'mm/dd/yyyy', '2026-12-31'],
  ['31/02/2026', 'dd/mm/yyyy', null],
  ['ontem', 'dd/mm/yyyy', null],
] as const)('%s as %s is %s', (text, format, date) => expect(readDate(text, format)).toBe(date));

const BANK: Sample = {
  delimiter: ';',
  columns: ['Dia', 'Documento', 'Historico', 'Montante'],
  rows: [
    ['Dia', 'Documento', 'Historico', 'Montante'],
    ['03/11/2026', '001', 'PADARIA DO ZE', '-12,50'],
    ['04/11/2026', '002', 'SALARIO', '4.500,00'],
  ],
};

test('a table with telling headers is read without a question', () => {
  const draft = guess(BANK);
  expect(previewOf(BANK, draft)).toEqual([
    { date: '2026-11-03', description: 'PADARIA DO ZE', cents: -1_250 },
    { date: '2026-11-04', description: 'SALARIO', cents: 450_000 },
  ]);
  expect(checkMapping(draft)).toEqual({
    ok: true,
    mapping: {
      delimiter: ';', header_rows: 1, date_column: 0, description_column: 2, amount_column: 3,
      date_format: 'dd/mm/yyyy', decimal: 'comma', negate: false,
    },
  });
});

test('without headers the columns are known by what is in them', () => {
  const sample: Sample = { delimiter: ',', columns: ['Coluna 1', 'Coluna 2', 'Coluna 3'], rows: [['2026-11-03', '12.50', 'Padaria'], ['2026-11-04', '-7.00', 'Ônibus']] };
  expect(guess(sample)).toMatchObject({ headerRows: 0, date: 0, amount: 1, description: 2, dateFormat: 'yyyy-mm-dd', decimal: 'point' });
});

test('money in and out in two columns is one amount with a sign, and may be turned round', () => {
  const sample: Sample = {
    delimiter: ';',
    columns: ['Data', 'Lançamento', 'Crédito', 'Débito'],
    rows: [['01/11/2026', 'Pix', '10,00', ''], ['02/11/2026', 'Luz', '', '-80,10'], ['03/11/2026', 'Nada', '', '']],
  };
  const draft = guess(sample);
  expect(draft.money).toBe('two');
  expect(previewOf(sample, draft).map((it) => it.cents)).toEqual([1_000, -8_010, null]);
  expect(previewOf(sample, { ...draft, negate: true }).map((it) => it.cents)).toEqual([-1_000, 8_010, null]);
});

test('a column not chosen is asked for by its name', () => {
  const draft = { ...guess(BANK), date: null, money: 'two' as const, credit: 3, debit: 3 };
  const verdict = checkMapping(draft);
  expect(verdict.ok ? {} : Object.keys(verdict.errors)).toEqual(['date', 'debit']);
});

test('what the bank put above the header is left out', () => {
  const columns = ['Dia', 'O que foi', 'Entrou', 'Saiu'];
  const sample: Sample = { columns, rows: [['Cooperativa Exemplo'], columns, ['2026.11.01', 'Venda', '10,00', ''], ['2026.11.02', 'Compra', '', '4,50']], delimiter: '\t' };
  const draft = guess(sample);
  expect(draft).toMatchObject({ headerRows: 2, date: 0, description: 1, money: 'two', credit: 2, debit: 3, delimiter: '\t', dateFormat: 'yyyy-mm-dd' });
  expect(previewOf(sample, draft).map((it) => it.cents)).toEqual([1_000, -450]);
});

test('a first row with a date in it is a movement, not a header', () => {
  const columns = ['01/11/2026', 'Venda', '10,00'];
  expect(guess({ delimiter: ';', columns, rows: [columns, ['02/11/2026', 'Compra', '-4,50']] })).toMatchObject({ headerRows: 0, date: 0, description: 1, amount: 2 });
});
