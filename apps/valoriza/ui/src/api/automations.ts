/** The household's own rules: when a transaction is such, do so. */

import { all } from './finance';
import { authorised } from './session';
import type { Transaction } from './types';

export type Condition = {
  text: string | null;
  account_id: string | null;
  direction: 'in' | 'out' | null;
  min_cents: number | null;
  max_cents: number | null;
};

export type Effect = { category_id: string | null; tags: string[]; notify: boolean };

/** Without a position it comes after all others. */
export type AutomationDraft = { name: string; enabled: boolean; position?: number; when: Condition; then: Effect };

export type Automation = AutomationDraft & { id: string; position: number; matched: number; version: number };

export type AutomationPreview = { count: number; items: Transaction[] };

const at = (id: string) => `/api/automations/${id}`;

export const automations = {
  list: async (signal?: AbortSignal) =>
    (await all<Automation>('/api/automations', {}, signal)).toSorted((a, b) => a.position - b.position),
  add: (body: AutomationDraft, idempotencyKey: string) =>
    authorised<Automation>('/api/automations', { method: 'POST', body, idempotencyKey }),
  replace: (it: Automation, body: AutomationDraft) =>
    authorised<Automation>(at(it.id), { method: 'PUT', body, ifMatch: it.version }),
  remove: (it: Automation) => authorised<void>(at(it.id), { method: 'DELETE', ifMatch: it.version }),
  preview: (when: Condition, signal?: AbortSignal) =>
    authorised<AutomationPreview>('/api/automations/preview', { method: 'POST', body: { when }, ...(signal && { signal }) }),
  apply: (it: Automation) => authorised<unknown>(`${at(it.id)}/apply`, { method: 'POST' }),
};
