/**
 * Money is an integer number of centavos everywhere; this file turns it into text and back without ever
 * passing through a fraction.
 */

/** Largest amount of one movement; the server's limit. */
export const AMOUNT_CENTS_MAX = 1_000_000_000_000;

export type MoneyProblem = 'empty' | 'malformed' | 'too_large';
export type ParsedMoney = { ok: true; cents: number } | { ok: false; problem: MoneyProblem };

/** Dots only where thousands end, a comma before one or two digits of centavos. */
const BRAZILIAN = /^(-)?(?:R\$)?(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?$/;

/** Reads an amount as Brazilians write it: `1.234,56`, `1234,5`, `-R$ 0,01`. */
export function parseMoney(text: string): ParsedMoney {
  const compact = text.replace(/\s/g, '').replace('\u2212', '-');
  if (compact === '') return { ok: false, problem: 'empty' };
  const match = BRAZILIAN.exec(compact);
  if (!match) return { ok: false, problem: 'malformed' };
  const [, minus, whole = '', fraction = ''] = match;
  // The digits of the centavos are appended, not multiplied: "10" + "07" is 1007, exactly.
  const digits = whole.replaceAll('.', '') + fraction.padEnd(2, '0');
  const significant = digits.replace(/^0+(?=\d)/, '');
  if (significant.length > String(AMOUNT_CENTS_MAX).length) return { ok: false, problem: 'too_large' };
  const cents = Number.parseInt(significant, 10);
  if (cents > AMOUNT_CENTS_MAX) return { ok: false, problem: 'too_large' };
  return { ok: true, cents: minus && cents !== 0 ? -cents : cents };
}

export function moneyProblemText(problem: MoneyProblem): string {
  switch (problem) {
    case 'empty':
      return 'Informe o valor.';
    case 'malformed':
      return 'Escreva o valor como 1.234,56.';
    case 'too_large':
      return 'Valor alto demais.';
  }
}

/** Writes `1.234,56`, with a minus sign if negative and no currency symbol. */
export function formatAmount(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, '.');
  return `${cents < 0 ? '\u2212' : ''}${whole},${digits.slice(-2)}`;
}

const SYMBOLS: Record<string, string> = { BRL: 'R$', USD: 'US$', EUR: '€' };

/** Writes `R$ 1.234,56`; the space does not break and the sign comes first. */
export function formatMoney(cents: number, currency = 'BRL'): string {
  const sign = cents < 0 ? '\u2212' : '';
  return `${sign}${SYMBOLS[currency] ?? currency}\u00a0${formatAmount(Math.abs(cents))}`;
}

/** Writes thousands and millions briefly, for the axes of charts: `1,5 mil`. */
export function formatBrief(cents: number): string {
  const reais = Math.round(cents / 100);
  const size = Math.abs(reais);
  const brief = (unit: number) => (reais / unit).toLocaleString('pt-BR', { maximumFractionDigits: 1 });
  if (size >= 1_000_000) return `${brief(1_000_000)} mi`;
  if (size >= 1_000) return `${brief(1_000)} mil`;
  return reais.toLocaleString('pt-BR');
}

/** How much `now` differs from `before` in whole percent; null when there is nothing to compare with. */
export function percentChange(now: number, before: number): number | null {
  if (before === 0) return null;
  return Math.round(((now - before) / Math.abs(before)) * 100);
}
