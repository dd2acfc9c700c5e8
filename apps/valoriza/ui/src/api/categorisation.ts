/** What was categorised by itself: the inbox of what was not sure enough, corrections and what they teach. */

import { authorised } from './session';
import type { Page, Suggestion, Transaction } from './types';

export type ReviewItem = {
  transaction: Transaction;
  suggestion: Suggestion | null;
  alternatives: { category_id: string; confidence: number }[];
};

export type Correction = {
  transaction: Transaction;
  /** What the correction taught, and how many other transactions it changed. */
  learned: { id: string; reason: string; affected: number } | null;
  correction_id: string;
};

/** A suggestion that was accepted; those that had none any more are not among the answer. */
export type Accepted = { transaction_id: string; correction_id: string };

export type Similar = { transaction: Transaction; similarity: number };

/** How many suggestions one request accepts; the server's limit. */
export const ACCEPT_MAX = 200;
const REVIEW_PAGE = 50;
const SIMILAR_MAX = 20;

export const review = {
  page: (cursor: string | null, signal?: AbortSignal) =>
    authorised<Page<ReviewItem>>('/api/review', { query: { cursor, limit: REVIEW_PAGE }, ...(signal && { signal }) }),
  count: async (signal?: AbortSignal) =>
    (await authorised<{ count: number }>('/api/review/count', { ...(signal && { signal }) })).count,
  accept: (transaction_ids: string[]) =>
    authorised<{ accepted: Accepted[] }>('/api/review/accept', { method: 'POST', body: { transaction_ids } }),
};

export const corrections = {
  add: (transactionId: string, body: { category_id: string; similar: boolean }) =>
    authorised<Correction>(`/api/transactions/${transactionId}/categorise`, { method: 'POST', body }),
  undo: (id: string) => authorised<void>(`/api/corrections/${id}`, { method: 'DELETE' }),
};

export const similar = async (transactionId: string, signal?: AbortSignal) =>
  (await authorised<{ items: Similar[] }>(`/api/transactions/${transactionId}/similar`, {
    query: { limit: SIMILAR_MAX }, ...(signal && { signal }),
  })).items;
