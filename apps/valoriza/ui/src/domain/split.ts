/** How a transaction is divided among categories: parts as they are typed, before they are a request. */

import type { SplitDraft } from '../api/types';
import { formatAmount, parseMoney } from './money';

/** The server's limits. */
export const SPLITS_MIN = 2;
export const SPLITS_MAX = 50;

export type Part = {
  /** Tells rows apart while they are edited; the server gives its own ids. */
  key: string;
  amount: string;
  categoryId: string | null;
  description: string;
};

/** What is still to be given to a part; negative when the parts already exceed the whole. */
export function remaining(totalCents: number, parts: readonly Part[]): number {
  return parts.reduce((left, part) => left - centsOf(part), totalCents);
}

function centsOf(part: Part): number {
  const parsed = parseMoney(part.amount);
  return parsed.ok ? parsed.cents : 0;
}

export type PartsVerdict =
  | { ok: true; splits: SplitDraft[] }
  | { ok: false; errors: Record<string, string> };

/**
 * Turns parts into the request's splits, with the sign of the whole, or says what is wrong by the names the
 * server would use, so that both kinds of error land in the same place.
 */
export function checkParts(totalCents: number, sign: 1 | -1, parts: readonly Part[]): PartsVerdict {
  const errors: Record<string, string> = {};
  parts.forEach((part, position) => {
    const parsed = parseMoney(part.amount);
    if (!parsed.ok) errors[`splits.${position}.amount_cents`] = 'Escreva o valor como 1.234,56.';
    else if (parsed.cents <= 0) errors[`splits.${position}.amount_cents`] = 'Deve ser maior que zero.';
  });
  if (parts.length < SPLITS_MIN) errors.splits = 'Divida em pelo menos duas partes.';
  else if (Object.keys(errors).length === 0 && remaining(totalCents, parts) !== 0) {
    errors.splits = 'A soma das partes deve ser igual ao valor.';
  }
  if (Object.keys(errors).length > 0) return { ok: false, errors };
  const splits = parts.map((part) => ({
    category_id: part.categoryId,
    amount_cents: sign * centsOf(part),
    description: part.description.trim() || null,
  }));
  return { ok: true, splits };
}

/** Gives what remains to the first part that has nothing, else to the last. */
export function complete(totalCents: number, parts: readonly Part[]): Part[] {
  const left = remaining(totalCents, parts);
  const empty = parts.findIndex((part) => centsOf(part) === 0);
  const receiver = empty === -1 ? parts.length - 1 : empty;
  return parts.map((part, position) => (position === receiver ? { ...part, amount: formatAmount(centsOf(part) + left) } : part));
}

/** Divides into equal parts; the last ones carry the centavos that do not divide. */
export function evenly(totalCents: number, count: number): number[] {
  const base = Math.floor(totalCents / count);
  const rest = totalCents - base * count;
  return Array.from({ length: count }, (_, position) => base + (position >= count - rest ? 1 : 0));
}
