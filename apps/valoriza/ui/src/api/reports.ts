/** A month as a file to keep. */

import { all } from './finance';
import { exchangeFile } from './http';
import { authorised, withToken } from './session';

export type Report = { id: string; month: string; status: 'queued' | 'ready' | 'failed'; created_at: string; ready_at: string | null };

export type ReportFormat = 'html' | 'csv';

export const reports = {
  list: (signal?: AbortSignal) => all<Report>('/api/reports', {}, signal),
  add: (month: string, idempotencyKey: string) =>
    authorised<Report>('/api/reports', { method: 'POST', body: { month }, idempotencyKey }),
  file: (id: string, format: ReportFormat) => withToken((token) => exchangeFile(`/api/reports/${id}/${format}`, token)),
};
