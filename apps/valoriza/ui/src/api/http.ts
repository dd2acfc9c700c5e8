/** One HTTP exchange with the server: JSON both ways, refusals as `Problem`, one patient retry of reads. */

import { watched } from './activity';
import { Problem } from './problem';

export type Query = Record<string, string | number | boolean | null | undefined>;

export type Exchange = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  /** The version this change was made on. */
  ifMatch?: number;
  idempotencyKey?: string;
  accept?: string;
  signal?: AbortSignal;
};

/** Longest wait a `Retry-After` is given; a start from zero takes less. */
const RETRY_AFTER_S_MAX = 10;

/** Sends one request, with `token` if there is one. */
export function exchange<T>(path: string, token: string | null, it: Exchange = {}): Promise<T> {
  return watched(async () => {
    const response = await accepted(path, token, it);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  });
}

/** Reads a file the server made. A link could not: it would not carry the token. */
export function exchangeFile(path: string, token: string): Promise<Blob> {
  return watched(async () => (await accepted(path, token, { accept: '*/*' })).blob());
}

async function accepted(path: string, token: string | null, it: Exchange): Promise<Response> {
  const response = await sendPatiently(path, token, it);
  if (!response.ok) throw await Problem.of(response);
  return response;
}

/** A read that meets a 503 is repeated once, after what the server asks for. A write is the person's to repeat. */
async function sendPatiently(path: string, token: string | null, it: Exchange): Promise<Response> {
  const response = await send(path, token, it);
  if (response.status !== 503 || (it.method ?? 'GET') !== 'GET') return response;
  const asked = Number(response.headers.get('Retry-After') ?? '1');
  const seconds = Number.isFinite(asked) ? Math.min(Math.max(asked, 0), RETRY_AFTER_S_MAX) : 1;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  it.signal?.throwIfAborted();
  return send(path, token, it);
}

async function send(path: string, token: string | null, it: Exchange): Promise<Response> {
  const headers = new Headers({ Accept: it.accept ?? 'application/json' });
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (it.body !== undefined) headers.set('Content-Type', 'application/json');
  if (it.ifMatch !== undefined) headers.set('If-Match', `"${it.ifMatch}"`);
  if (it.idempotencyKey) headers.set('Idempotency-Key', it.idempotencyKey);
  const init: RequestInit = { method: it.method ?? 'GET', headers };
  if (it.body !== undefined) init.body = JSON.stringify(it.body);
  if (it.signal) init.signal = it.signal;
  try {
    return await fetch(path + queryString(it.query), init);
  } catch (error) {
    if (it.signal?.aborted) throw error;
    throw Problem.unreachable();
  }
}

/** Empty values are left out: a filter not set is not sent. */
export function queryString(query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '' && value !== false) search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
