import { useMemo } from 'react';

/**
 * The key of one form's submission. Sending the same body again after a failure repeats the key, so a write
 * whose answer was lost is not made twice; another body is another request and needs a key of its own.
 */
export class SubmissionKey {
  #body: string | null = null;
  #key = '';

  of(body: unknown): string {
    const text = JSON.stringify(body);
    if (text !== this.#body) {
      this.#body = text;
      this.#key = freshKey();
    }
    return this.#key;
  }

  /** The write was made: the same body again would be a second, wanted one. */
  done(): void {
    this.#body = null;
  }
}

/** `randomUUID` is missing where the page is served without TLS from another host than this one. */
export function freshKey(): string {
  if ('randomUUID' in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function useSubmissionKey(): SubmissionKey {
  return useMemo(() => new SubmissionKey(), []);
}
