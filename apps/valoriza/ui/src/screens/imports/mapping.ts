/**
 * How the columns of an unknown CSV are read: a first guess, and what it makes of the sample. Only the server
 * reads the file in earnest; this shows people the effect of each choice at once.
 */

import type { DateFormat, Mapping, Sample } from '../../api/imports';
import { isDate } from '../../domain/calendar';
import { AMOUNT_CENTS_MAX } from '../../domain/money';
import { fold } from '../../domain/text';

/** What the form holds; a column not chosen is null. */
export type MappingDraft = {
  delimiter: string;
  headerRows: number;
  date: number | null;
  description: number | null;
  money: 'one' | 'two';
  amount: number | null;
  credit: number | null;
  debit: number | null;
  dateFormat: DateFormat;
  decimal: 'comma' | 'point';
  negate: boolean;
};

export const DATE_FORMATS: readonly (readonly [DateFormat, string])[] = [
  ['dd/mm/yyyy', '31/12/2026'],
  ['dd/mm/yy', '31/12/26'],
  ['yyyy-mm-dd', '2026-12-31'],
  ['mm/dd/yyyy', '12/31/2026'],
];

const DATE_PATTERNS: Record<DateFormat, RegExp> = {
  'dd/mm/yyyy': /^(?<d>\d{1,2})[/.-](?<m>\d{1,2})[/.-](?<y>\d{4})\b/,
  'dd/mm/yy': /^(?<d>\d{1,2})[/.-](?<m>\d{1,2})[/.-](?<y>\d{2})$/,
  'yyyy-mm-dd': /^(?<y>\d{4})[/.-](?<m>\d{1,2})[/.-](?<d>\d{1,2})\b/,
  'mm/dd/yyyy': /^(?<m>\d{1,2})[/.-](?<d>\d{1,2})[/.-](?<y>\d{4})\b/,
};

/** `YYYY-MM-DD`, or null if the text is no date in that format. */
export function readDate(text: string, format: DateFormat): string | null {
  const parts = DATE_PATTERNS[format].exec(text.trim())?.groups;
  if (!parts) return null;
  const { y = '', m = '', d = '' } = parts;
  const date = `${y.length === 2 ? `20${y}` : y}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`;
  return isDate(date) ? date : null;
}

/**
 * Centavos, or null if the text is no amount: `-1.234,56`, `R$ 10,00`, `(10,00)`, `10,00 D`. The rules are the
 * server's. Digits are joined, never multiplied.
 */
export function readAmount(text: string, decimal: 'comma' | 'point'): number | null {
  const compact = text.toUpperCase().replace(/\s|R\$/g, '').replace(/[\u2212\u2013]/g, '-');
  const match = /^(\()?([-+])?([\d.,]+)(-)?([DC])?(\))?$/.exec(compact);
  if (!match) return null;
  const [, opening, before, digits = '', after, side, closing] = match;
  if ((opening === undefined) !== (closing === undefined)) return null;
  const amount = decimal === 'comma' ? /^(\d{1,3}(?:\.\d{3})+|\d*)(?:,(\d*))?$/.exec(digits) : /^(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?$/.exec(digits);
  const [, whole = '', fraction = ''] = amount ?? [];
  // More places than centavos have are fine when they are zeros.
  if (!amount || whole + fraction === '' || /[1-9]/.test(fraction.slice(2))) return null;
  const cents = Number.parseInt(whole.replace(/\D/g, '') + fraction.slice(0, 2).padEnd(2, '0'), 10);
  if (cents > AMOUNT_CENTS_MAX) return null;
  return opening || before === '-' || after || side === 'D' ? 0 - cents : cents;
}

export type PreviewRow = { date: string | null; description: string; cents: number | null };

/** What the draft makes of each row after the headers. */
export function previewOf({ rows }: Sample, it: MappingDraft): PreviewRow[] {
  const sign = it.negate ? -1 : 1;
  return rows.slice(it.headerRows).map((row) => {
    const cell = (column: number | null) => (column === null ? '' : (row[column] ?? ''));
    const cents = centsOf(cell, it);
    return {
      date: readDate(cell(it.date), it.dateFormat),
      description: cell(it.description).trim(),
      cents: cents === null ? null : cents * sign + 0,
    };
  });
}

function centsOf(cell: (column: number | null) => string, it: MappingDraft): number | null {
  if (it.money === 'one') return readAmount(cell(it.amount), it.decimal);
  const [credit, debit] = [cell(it.credit).trim(), cell(it.debit).trim()];
  if (credit === '' && debit === '') return null;
  const [into, out] = [credit === '' ? 0 : readAmount(credit, it.decimal), debit === '' ? 0 : readAmount(debit, it.decimal)];
  // Some banks write debits with a minus sign, some without.
  return into === null || out === null ? null : Math.abs(into) - Math.abs(out);
}

const HEADERS = {
  date: ['data', 'date', 'dia'],
  description: ['descricao', 'historico', 'lancamento', 'estabelecimento', 'title', 'description', 'memo', 'detalhe', 'o que'],
  amount: ['valor', 'amount', 'montante', 'quantia'],
  credit: ['credito', 'entrada', 'entrou', 'credit'],
  debit: ['debito', 'saida', 'saiu', 'debit'],
} as const;

const isSomeDate = (cell: string) => DATE_FORMATS.some(([format]) => readDate(cell, format) !== null);

/** The likeliest reading; the person corrects it. */
export function guess({ columns, rows, delimiter }: Sample): MappingDraft {
  const names = columns.map(fold);
  const named = (what: keyof typeof HEADERS) => {
    const found = names.findIndex((name) => HEADERS[what].some((word) => name.includes(word)));
    return found < 0 ? null : found;
  };
  // The server names the columns after the first full row, behind what the bank put above it. A row with a date
  // in it is no header but the first of the movements.
  const top = rows.findIndex((row) => row.length === columns.length && row.every((cell, column) => cell === columns[column]));
  const isHeader = top >= 0 && !columns.some(isSomeDate);
  const headerRows = top < 0 ? 0 : isHeader ? top + 1 : top;
  const body = rows.slice(headerRows).filter((row) => row.some((cell) => cell.trim() !== ''));
  const column = (fits: (cell: string) => boolean, besides: (number | null)[] = []) => {
    const found = columns.findIndex((_, at) => !besides.includes(at) && body.length > 0 && body.every((row) => fits(row[at] ?? '')));
    return found < 0 ? null : found;
  };
  const date = named('date') ?? column(isSomeDate);
  const dateFormat =
    DATE_FORMATS.find(([format]) => date !== null && body.length > 0 && body.every((row) => readDate(row[date] ?? '', format) !== null))?.[0] ?? 'dd/mm/yyyy';
  const [credit, debit] = [named('credit'), named('debit')];
  const isAmount = (cell: string) => readAmount(cell, 'comma') !== null || readAmount(cell, 'point') !== null;
  const amount = named('amount') ?? column(isAmount, [date]);
  const isTwo = credit !== null && debit !== null && credit !== debit;
  const amounts = body.flatMap((row) => (isTwo ? [row[credit] ?? '', row[debit] ?? ''] : [row[amount ?? -1] ?? '']));
  return {
    delimiter, headerRows, date, dateFormat, credit, debit, amount,
    description: named('description') ?? column((cell) => /\p{L}/u.test(cell), [date, amount, credit, debit]),
    money: isTwo ? 'two' : 'one',
    decimal: amounts.some((cell) => /\.\d{1,2}$/.test(cell.trim())) ? 'point' : 'comma',
    negate: false,
  };
}

export type MappingErrors = Partial<Record<'date' | 'description' | 'amount' | 'credit' | 'debit', string>>;

/** The request a draft becomes, or the columns still missing. */
export function checkMapping(it: MappingDraft): { ok: true; mapping: Mapping } | { ok: false; errors: MappingErrors } {
  const errors: MappingErrors = {};
  if (it.date === null) errors.date = 'Escolha a coluna da data.';
  if (it.description === null) errors.description = 'Escolha a coluna da descrição.';
  if (it.money === 'one' && it.amount === null) errors.amount = 'Escolha a coluna do valor.';
  if (it.money === 'two' && it.credit === null) errors.credit = 'Escolha a coluna das entradas.';
  if (it.money === 'two' && it.debit === null) errors.debit = 'Escolha a coluna das saídas.';
  if (it.money === 'two' && it.credit !== null && it.credit === it.debit) errors.debit = 'Deve ser outra coluna.';
  if (Object.keys(errors).length > 0) return { ok: false, errors };
  const money = it.money === 'one' ? { amount_column: it.amount ?? 0 } : { credit_column: it.credit ?? 0, debit_column: it.debit ?? 0 };
  const mapping: Mapping = {
    delimiter: it.delimiter, header_rows: it.headerRows, date_column: it.date ?? 0, description_column: it.description ?? 0,
    date_format: it.dateFormat, decimal: it.decimal, negate: it.negate, ...money,
  };
  return { ok: true, mapping };
}
