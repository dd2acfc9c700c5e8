/**
 * Dates are `YYYY-MM-DD` and months `YYYY-MM`, as the API has them. They are only ever computed with in UTC,
 * so that no time zone can move them; "today" alone is asked of São Paulo, as the server does.
 */

const ZONE = 'America/Sao_Paulo';
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

export function today(now = new Date()): string {
  // Canada writes dates as the API does.
  return new Intl.DateTimeFormat('en-CA', { timeZone: ZONE, dateStyle: 'short' }).format(now);
}

export function monthOf(date: string): string {
  return date.slice(0, 7);
}

export function currentMonth(now = new Date()): string {
  return monthOf(today(now));
}

export function isMonth(text: string): boolean {
  return MONTH.test(text);
}

export function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const instant = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text);
}

export function addMonths(month: string, count: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const months = year * 12 + (number - 1) + count;
  return `${String(Math.floor(months / 12)).padStart(4, '0')}-${String((((months % 12) + 12) % 12) + 1).padStart(2, '0')}`;
}

export function addDays(date: string, count: number): string {
  const instant = new Date(`${date}T00:00:00Z`);
  instant.setUTCDate(instant.getUTCDate() + count);
  return instant.toISOString().slice(0, 10);
}

export function firstDay(month: string): string {
  return `${month}-01`;
}

export function lastDay(month: string): string {
  return addDays(firstDay(addMonths(month, 1)), -1);
}

const utc = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('pt-BR', { timeZone: 'UTC', ...options });
const LONG_MONTH = utc({ month: 'long', year: 'numeric' });
const SHORT_MONTH = utc({ month: 'long' });
const WEEKDAY = utc({ weekday: 'long', day: 'numeric', month: 'long' });
const WEEKDAY_AND_YEAR = utc({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

/** `novembro de 2026` */
export function monthName(month: string): string {
  return LONG_MONTH.format(new Date(`${month}-01T00:00:00Z`));
}

/** `outubro` */
export function monthNameOnly(month: string): string {
  return SHORT_MONTH.format(new Date(`${month}-01T00:00:00Z`));
}

/** `Hoje`, `Ontem`, `quinta-feira, 19 de novembro`; the year only if it is not this one. */
export function dayName(date: string, now = today()): string {
  if (date === now) return 'Hoje';
  if (date === addDays(now, -1)) return 'Ontem';
  const format = date.slice(0, 4) === now.slice(0, 4) ? WEEKDAY : WEEKDAY_AND_YEAR;
  return format.format(new Date(`${date}T00:00:00Z`));
}

/** `19/11/2026` */
export function shortDate(date: string): string {
  const match = DATE.exec(date);
  return match ? `${match[3]}/${match[2]}/${match[1]}` : date;
}

const MOMENT = new Intl.DateTimeFormat('pt-BR', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'short' });

/** `21/11/2026, 11:36`, in São Paulo. */
export function momentName(instant: string): string {
  return MOMENT.format(new Date(instant));
}
