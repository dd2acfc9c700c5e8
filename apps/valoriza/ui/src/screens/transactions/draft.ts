/** What is typed in the form of a transaction, and the request it becomes. */

import type { Account, NormalDraft, Transaction, TransactionChange, TransferDraft } from '../../api/types';
import { isDate, today } from '../../domain/calendar';
import { formatAmount, moneyProblemText, parseMoney } from '../../domain/money';
import { formatTags, parseTags, tagsProblem } from '../../domain/tags';
import { checkParts, type Part } from '../../domain/split';

export type Flow = 'expense' | 'income' | 'transfer';

export type Draft = {
  flow: Flow;
  amount: string;
  description: string;
  accountId: string;
  toAccountId: string;
  categoryId: string | null;
  date: string;
  notes: string;
  tags: string;
  /** Null: not divided. */
  parts: Part[] | null;
};

let lastPart = 0;

export function newPart(cents: number | null = null): Part {
  lastPart += 1;
  return { key: String(lastPart), amount: cents === null ? '' : formatAmount(cents), categoryId: null, description: '' };
}

export function emptyDraft(accounts: readonly Account[]): Draft {
  const open = accounts.filter((it) => !it.archived);
  const usual = open.find((it) => it.kind === 'checking') ?? open[0];
  const other = open.find((it) => it.id !== usual?.id);
  return {
    flow: 'expense', amount: '', description: '', accountId: usual?.id ?? '', toAccountId: other?.id ?? '',
    categoryId: null, date: today(), notes: '', tags: '', parts: null,
  };
}

/** A transfer is shown from where the money left, whichever side was opened. */
export function draftOf(it: Transaction): Draft {
  const incoming = it.kind === 'transfer' && it.amount_cents > 0;
  const other = it.transfer_account_id ?? '';
  return {
    flow: it.kind === 'transfer' ? 'transfer' : it.amount_cents < 0 ? 'expense' : 'income',
    amount: formatAmount(Math.abs(it.amount_cents)),
    description: it.description,
    accountId: incoming ? other : it.account_id,
    toAccountId: incoming ? it.account_id : other,
    categoryId: it.category_id,
    date: it.date,
    notes: it.notes ?? '',
    tags: formatTags(it.tags),
    parts: it.splits.length === 0 ? null : it.splits.map((split) => ({
      ...newPart(Math.abs(split.amount_cents)),
      categoryId: split.category_id,
      description: split.description ?? '',
    })),
  };
}

export type Verdict =
  | { ok: true; body: NormalDraft | TransferDraft }
  | { ok: false; errors: Record<string, string> };

/** The request a draft becomes, or its mistakes by the names the server would use. */
export function checkDraft(draft: Draft): Verdict {
  const errors: Record<string, string> = {};
  const amount = parseMoney(draft.amount);
  if (!amount.ok) errors.amount_cents = moneyProblemText(amount.problem);
  else if (amount.cents <= 0) errors.amount_cents = 'Deve ser maior que zero.';
  if (draft.description.trim() === '') errors.description = 'Informe a descrição.';
  if (draft.accountId === '') errors.account_id = 'Escolha a conta.';
  if (!isDate(draft.date)) errors.date = 'Informe a data.';
  if (draft.flow === 'transfer') {
    if (draft.toAccountId === '') errors.transfer_account_id = 'Escolha a conta de destino.';
    else if (draft.toAccountId === draft.accountId) errors.transfer_account_id = 'Deve ser outra conta.';
  }
  const tags = parseTags(draft.tags);
  const tagsWrong = draft.flow === 'transfer' ? null : tagsProblem(tags);
  if (tagsWrong) errors.tags = tagsWrong;
  const cents = amount.ok ? amount.cents : 0;
  const sign = draft.flow === 'income' ? 1 : -1;
  const parts = draft.flow !== 'transfer' && draft.parts ? checkParts(cents, sign, draft.parts) : null;
  if (parts && !parts.ok && amount.ok) Object.assign(errors, parts.errors);
  if (Object.keys(errors).length > 0) return { ok: false, errors };

  const shared = {
    account_id: draft.accountId,
    date: draft.date,
    description: draft.description.trim(),
    notes: draft.notes.trim() || null,
  };
  if (draft.flow === 'transfer') {
    return { ok: true, body: { kind: 'transfer', ...shared, transfer_account_id: draft.toAccountId, amount_cents: cents } };
  }
  const splits = parts?.ok ? parts.splits : [];
  const category_id = splits.length > 0 ? null : draft.categoryId;
  return { ok: true, body: { ...shared, amount_cents: sign * cents, category_id, splits, tags } };
}

/**
 * The change to send: what the person changed and nothing else, so that what was found out while they typed, such
 * as a category, stays.
 */
export function changeOf(present: Transaction, body: NormalDraft | TransferDraft): TransactionChange {
  const before = new Map<string, unknown>(Object.entries(bodyOf(present)));
  const same = (field: string, value: unknown) => JSON.stringify(value) === JSON.stringify(before.get(field));
  return Object.fromEntries(Object.entries(body).filter(([field, value]) => !same(field, value)));
}

/** The request that makes a deleted transaction again. */
export function bodyOf(it: Transaction): NormalDraft | TransferDraft {
  const verdict = checkDraft(draftOf(it));
  if (!verdict.ok) throw new Error('the server sent a transaction it would not accept');
  return verdict.body;
}
