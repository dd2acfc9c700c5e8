/** The finance API, one function per thing a screen does. */

import { authorised } from './session';
import type {
  Account, AccountKind, Budget, Category, CategoryDraft, NormalDraft, Page, Summary, Transaction, TransactionChange, TransferDraft,
} from './types';

export type AccountDraft = { name: string; kind: AccountKind; opening_balance_cents: number };

/** The server's largest page. */
const PAGE_MAX = 200;

/** Reads every page of what a household has few of. */
export async function all<T>(path: string, query: Record<string, string> = {}, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await authorised(path, { query: { ...query, limit: PAGE_MAX, cursor }, ...(signal && { signal }) });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

export const accounts = {
  list: (signal?: AbortSignal) => all<Account>('/api/accounts', {}, signal),
  add: (body: AccountDraft, idempotencyKey: string) =>
    authorised<Account>('/api/accounts', { method: 'POST', body, idempotencyKey }),
  change: (it: Account, body: Partial<AccountDraft & { archived: boolean }>) =>
    authorised<Account>(`/api/accounts/${it.id}`, { method: 'PATCH', body, ifMatch: it.version }),
  remove: (it: Account) => authorised<void>(`/api/accounts/${it.id}`, { method: 'DELETE', ifMatch: it.version }),
};

export const categories = {
  list: (signal?: AbortSignal) => all<Category>('/api/categories', {}, signal),
  add: (body: CategoryDraft, idempotencyKey: string) =>
    authorised<Category>('/api/categories', { method: 'POST', body, idempotencyKey }),
  change: (it: Category, body: Partial<CategoryDraft>) =>
    authorised<Category>(`/api/categories/${it.id}`, { method: 'PATCH', body, ifMatch: it.version }),
  remove: (it: Category) => authorised<void>(`/api/categories/${it.id}`, { method: 'DELETE', ifMatch: it.version }),
};

export type TransactionFilter = {
  account_id?: string;
  category_id?: string;
  from?: string;
  to?: string;
  q?: string;
  uncategorised?: boolean;
};

export const transactions = {
  page: (filter: TransactionFilter, cursor: string | null, limit: number, signal?: AbortSignal) =>
    authorised<Page<Transaction>>('/api/transactions', {
      query: { ...filter, cursor, limit: Math.min(limit, PAGE_MAX) },
      ...(signal && { signal }),
    }),
  one: (id: string) => authorised<Transaction>(`/api/transactions/${id}`),
  add: (body: NormalDraft | TransferDraft, idempotencyKey: string) =>
    authorised<Transaction>('/api/transactions', { method: 'POST', body, idempotencyKey }),
  change: (it: Transaction, body: TransactionChange) =>
    authorised<Transaction>(`/api/transactions/${it.id}`, { method: 'PATCH', body, ifMatch: it.version }),
  remove: (it: Transaction) => authorised<void>(`/api/transactions/${it.id}`, { method: 'DELETE', ifMatch: it.version }),
};

export type BudgetDraft = { category_id: string; month: string; amount_cents: number };

export const budgets = {
  list: (month: string, signal?: AbortSignal) => all<Budget>('/api/budgets', { month }, signal),
  add: (body: BudgetDraft, idempotencyKey: string) =>
    authorised<Budget>('/api/budgets', { method: 'POST', body, idempotencyKey }),
  change: (it: Budget, body: { amount_cents: number }) =>
    authorised<Budget>(`/api/budgets/${it.id}`, { method: 'PATCH', body, ifMatch: it.version }),
  remove: (it: Budget) => authorised<void>(`/api/budgets/${it.id}`, { method: 'DELETE', ifMatch: it.version }),
};

export const summary = (month: string, signal?: AbortSignal) =>
  authorised<Summary>('/api/summary', { query: { month }, ...(signal && { signal }) });
