/** What is typed in the form of an automation, the request it becomes, and how one reads. */

import type { Automation, AutomationDraft, Condition } from '../../api/automations';
import { formatAmount, formatMoney, moneyProblemText, parseMoney } from '../../domain/money';
import { formatTags, parseTags, tagsProblem } from '../../domain/tags';

export type Draft = {
  name: string;
  text: string;
  accountId: string;
  direction: 'any' | 'in' | 'out';
  min: string;
  max: string;
  categoryId: string | null;
  tags: string;
  notify: boolean;
};

export const EMPTY: Draft = { name: '', text: '', accountId: '', direction: 'any', min: '', max: '', categoryId: null, tags: '', notify: false };

export function draftOf({ name, when, then }: AutomationDraft): Draft {
  const amount = (cents: number | null) => (cents === null ? '' : formatAmount(cents));
  return {
    name, text: when.text ?? '', accountId: when.account_id ?? '', direction: when.direction ?? 'any',
    min: amount(when.min_cents), max: amount(when.max_cents),
    categoryId: then.category_id, tags: formatTags(then.tags), notify: then.notify,
  };
}

type Errors = Record<string, string>;
type Checked<T> = { ok: true; value: T } | { ok: false; errors: Errors };

function bound(text: string, field: string, errors: Errors): number | null {
  if (text.trim() === '') return null;
  const parsed = parseMoney(text);
  if (!parsed.ok) errors[field] = moneyProblemText(parsed.problem);
  else if (parsed.cents < 0) errors[field] = 'Escreva o valor sem sinal.';
  else return parsed.cents;
  return null;
}

/** The condition alone, which is what the live preview asks about. */
export function checkCondition(draft: Draft): Checked<Condition> {
  const errors: Errors = {};
  const value: Condition = {
    text: draft.text.trim() || null,
    account_id: draft.accountId || null,
    direction: draft.direction === 'any' ? null : draft.direction,
    min_cents: bound(draft.min, 'when.min_cents', errors),
    max_cents: bound(draft.max, 'when.max_cents', errors),
  };
  if (value.min_cents !== null && value.max_cents !== null && value.min_cents > value.max_cents) {
    errors['when.max_cents'] = 'Deve ser pelo menos o mínimo.';
  }
  const isEmpty = Object.values(value).every((it) => it === null);
  if (isEmpty && Object.keys(errors).length === 0) errors['when.text'] = 'Diga ao menos uma condição.';
  return Object.keys(errors).length === 0 ? { ok: true, value } : { ok: false, errors };
}

/** The request a draft becomes, or its mistakes by the names the server would use. */
export function checkDraft(draft: Draft): Checked<Omit<AutomationDraft, 'position'>> {
  const when = checkCondition(draft);
  const errors: Errors = when.ok ? {} : when.errors;
  const tags = parseTags(draft.tags);
  const problem = tagsProblem(tags);
  if (problem) errors['then.tags'] = problem;
  if (draft.categoryId === null && tags.length === 0 && !draft.notify) errors['then.category_id'] = 'Diga ao menos uma coisa a fazer.';
  if (!when.ok || Object.keys(errors).length > 0) return { ok: false, errors };
  const name = draft.name.trim() || when.value.text || 'Automação';
  return { ok: true, value: { name: name.slice(0, 80), enabled: true, when: when.value, then: { category_id: draft.categoryId, tags, notify: draft.notify } } };
}

/** `Se a descrição tem “uber”, saídas, até R$ 50,00` */
export function conditionText(when: Condition, accountName: (id: string) => string): string {
  const { text, account_id, direction, min_cents: min, max_cents: max } = when;
  const amount =
    min !== null && max !== null ? `de ${formatMoney(min)} a ${formatMoney(max)}`
    : min !== null ? `a partir de ${formatMoney(min)}`
    : max !== null ? `até ${formatMoney(max)}`
    : null;
  const parts = [
    text === null ? null : `a descrição tem “${text}”`,
    account_id === null ? null : `na conta ${accountName(account_id)}`,
    direction === null ? null : direction === 'in' ? 'entradas' : 'saídas',
    amount,
  ];
  return `Se ${parts.filter((it) => it !== null).join(', ')}`;
}

/** The automations whose position changes, with it, when `id` goes one place up or down. */
export function moved(all: readonly Automation[], id: string, by: 1 | -1): { automation: Automation; position: number }[] {
  const from = all.findIndex((it) => it.id === id);
  const other = all[from + by];
  const order = [...all];
  const mine = order[from];
  if (!mine || !other) return [];
  [order[from], order[from + by]] = [other, mine];
  return order.flatMap((automation, at) => (automation.position === at + 1 ? [] : [{ automation, position: at + 1 }]));
}
