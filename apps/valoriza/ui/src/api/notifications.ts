/** What happened while one was not looking. */

import { authorised } from './session';
import type { Page } from './types';

export type Notification = {
  id: string;
  kind: 'budget' | 'automation' | 'import' | 'report';
  title: string;
  text: string;
  link: string | null;
  read_at: string | null;
  created_at: string;
};

const PAGE = 20;

export const notifications = {
  page: (cursor: string | null, signal?: AbortSignal) =>
    authorised<Page<Notification>>('/api/notifications', { query: { cursor, limit: PAGE }, ...(signal && { signal }) }),
  unread: async (signal?: AbortSignal) =>
    (await authorised<{ unread: number }>('/api/notifications/count', { ...(signal && { signal }) })).unread,
  read: (which: { ids: string[] } | { all: true }) =>
    authorised<unknown>('/api/notifications/read', { method: 'POST', body: which }),
};
