/** Statements of banks: a file is uploaded, shown for review, imported, and may be taken back. */

import { queryString } from './http';
import { authorised, withToken } from './session';
import type { Page, Suggestion } from './types';
import { upload } from './upload';

export type ImportStatus = 'parsing' | 'needs_mapping' | 'preview' | 'committing' | 'done' | 'failed' | 'undoing' | 'undone';

/** One account's part of a file. */
export type Statement = {
  index: number;
  label: string;
  account_id: string | null;
  currency: string;
  from: string | null;
  to: string | null;
  rows: number;
  new: number;
  duplicate: number;
  invalid: number;
  warnings: string[];
};

export type Import = {
  id: string;
  filename: string;
  status: ImportStatus;
  format: 'ofx' | 'csv' | null;
  profile: string | null;
  statements: Statement[];
  rows_total: number;
  /** Those that were confirmed. */
  rows_included: number;
  /** Those that are transactions. */
  rows_done: number;
  error: { code: string; detail: string; line: number | null } | null;
  warnings: string[];
  created_at: string;
  updated_at: string;
  version: number;
};

export type RowStatus = 'new' | 'duplicate' | 'invalid';

export type ImportRow = {
  index: number;
  statement: number;
  date: string | null;
  description: string;
  amount_cents: number | null;
  status: RowStatus;
  include: boolean;
  reason: string | null;
  transaction_id: string | null;
  /** The category it would get or be proposed. */
  suggestion: Suggestion | null;
};

export type DateFormat = 'dd/mm/yyyy' | 'dd/mm/yy' | 'yyyy-mm-dd' | 'mm/dd/yyyy';

/** How the columns of an unknown CSV are to be read; columns count from 0. */
export type Mapping = {
  delimiter: string;
  header_rows: number;
  date_column: number;
  description_column: number;
  date_format: DateFormat;
  decimal: 'comma' | 'point';
  negate: boolean;
} & ({ amount_column: number } | { credit_column: number; debit_column: number });

export type Sample = { columns: string[]; rows: string[][]; delimiter: string };

export type ImportChange = {
  statements?: { index: number; account_id: string | null }[];
  mapping?: Mapping;
  exclude?: number[];
  include?: number[];
};

const ROWS_PAGE = 100;
const LIST_PAGE = 50;

/** The server's largest page. */
export const ROWS_MAX = 200;

const at = (id: string) => `/api/imports/${id}`;

export const imports = {
  send: (file: File, onProgress: (share: number) => void) =>
    withToken((token) => upload<Import>(`/api/imports${queryString({ filename: file.name })}`, token, file, onProgress)),
  page: (cursor: string | null, signal?: AbortSignal) =>
    authorised<Page<Import>>('/api/imports', { query: { cursor, limit: LIST_PAGE }, ...(signal && { signal }) }),
  one: (id: string, signal?: AbortSignal) => authorised<Import>(at(id), { ...(signal && { signal }) }),
  rows: (id: string, status: RowStatus | null, cursor: string | null, limit = ROWS_PAGE, signal?: AbortSignal) =>
    authorised<Page<ImportRow>>(`${at(id)}/rows`, { query: { status, cursor, limit }, ...(signal && { signal }) }),
  sample: (id: string, signal?: AbortSignal) => authorised<Sample>(`${at(id)}/sample`, { ...(signal && { signal }) }),
  change: (it: Import, body: ImportChange) => authorised<Import>(at(it.id), { method: 'PATCH', body, ifMatch: it.version }),
  commit: (id: string) => authorised<Import>(`${at(id)}/commit`, { method: 'POST' }),
  undo: (id: string) => authorised<Import>(`${at(id)}/undo`, { method: 'POST' }),
  remove: (it: Import) => authorised<void>(at(it.id), { method: 'DELETE', ifMatch: it.version }),
};
