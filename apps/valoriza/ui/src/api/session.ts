/**
 * Who is signed in. The access token lives in memory only; the refresh token in sessionStorage, so it outlives
 * a reload and ends with the tab. Refreshing rotates it and using an old one ends the whole session (but for
 * some seconds in which a page that was reloaded in the middle may ask again), hence the single flight: any number
 * of requests that need a token share one refresh.
 */

import { exchange, type Exchange } from './http';
import { Problem } from './problem';
import type { Session } from './types';

export type SignedIn = Pick<Session, 'user' | 'tenant' | 'role'>;
export type SessionState = { status: 'restoring' } | { status: 'unreachable'; error: unknown } | { status: 'signed_out'; expired: boolean } | ({ status: 'signed_in' } & SignedIn);

const STORED = 'valoriza.refresh_token';
/** A token about to end could end on its way. */
const EARLY_MS = 30_000;

let state: SessionState = { status: 'signed_out', expired: false };
let access: { token: string; endsAt: number } | null = null;
let refreshing: Promise<string> | null = null;
const listeners = new Set<() => void>();

export function current(): SessionState {
  return state;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

function accept(session: Session): string {
  access = { token: session.access_token, endsAt: Date.now() + session.expires_in * 1_000 };
  sessionStorage.setItem(STORED, session.refresh_token);
  const { user, tenant, role } = session;
  become({ status: 'signed_in', user, tenant, role });
  return session.access_token;
}

function end(expired: boolean): void {
  access = null;
  sessionStorage.removeItem(STORED);
  if (state.status !== 'signed_out') become({ status: 'signed_out', expired });
}

/** Continues the session a reload interrupted, if there is one. */
export async function restore(): Promise<void> {
  if (sessionStorage.getItem(STORED) === null) return;
  become({ status: 'restoring' });
  try {
    await refresh();
  } catch (error) {
    // Refused, it has ended; but a service that could not be reached may still know it.
    if (current().status === 'restoring') become({ status: 'unreachable', error });
  }
}

export async function login(email: string, password: string): Promise<void> {
  accept(await exchange<Session>('/api/auth/login', null, { method: 'POST', body: { email, password } }));
}

export type Registration = { name: string; email: string; password: string; tenant_name?: string };

export async function register(body: Registration, idempotencyKey: string): Promise<void> {
  accept(await exchange<Session>('/api/auth/register', null, { method: 'POST', body, idempotencyKey }));
}

/** Signs out here at once; the server forgets the token when it can. */
export async function logout(): Promise<void> {
  const refresh_token = sessionStorage.getItem(STORED);
  end(false);
  if (refresh_token === null) return;
  // Nothing here can use the token any more, and it ends by itself: a failure has no consequence to show.
  await exchange('/api/auth/logout', null, { method: 'POST', body: { refresh_token } }).catch(() => undefined);
}

function refresh(): Promise<string> {
  refreshing ??= rotate().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function rotate(): Promise<string> {
  const refresh_token = sessionStorage.getItem(STORED);
  if (refresh_token === null) {
    end(true);
    throw new Problem(401, 'signed_out', 'Entre de novo para continuar.');
  }
  try {
    return accept(await exchange<Session>('/api/auth/refresh', null, { method: 'POST', body: { refresh_token } }));
  } catch (error) {
    // Only the server's refusal ends the session; a service that is waking up or a lost network does not.
    if (error instanceof Problem && error.status === 401) end(true);
    throw error;
  }
}

/** Sends a request as the person signed in. */
export function authorised<T>(path: string, it: Exchange = {}): Promise<T> {
  return withToken((token) => exchange<T>(path, token, it));
}

/** Does what needs a token; a refused one is refreshed once. */
export async function withToken<T>(send: (token: string) => Promise<T>): Promise<T> {
  const fresh = access !== null && access.endsAt - EARLY_MS > Date.now();
  const token = fresh && access ? access.token : await refresh();
  try {
    return await send(token);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
  // Another request may have refreshed meanwhile; then its token is the one to use.
  const next = access && access.token !== token ? access.token : await refresh();
  try {
    return await send(next);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) end(true);
    throw error;
  }
}
