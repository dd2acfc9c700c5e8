import { type RefObject, useEffect, useRef, useState } from 'react';
import { Problem } from '../api/problem';

export type Errors = Record<string, string>;

type Submission = {
  form: RefObject<HTMLFormElement | null>;
  busy: boolean;
  /** What is wrong with single fields, by the server's names. */
  errors: Errors;
  /** What is wrong with the whole; null if all of it belongs to fields. */
  failure: unknown;
  /** Runs `send` unless `found` already has mistakes. */
  submit: (found: Errors, send: () => Promise<void>) => Promise<void>;
};

/**
 * One form's way to the server. `known` are the fields the form shows: a refusal about any other is shown for
 * the form as a whole, so that nothing the server said is lost. The focus goes to the first field refused.
 */
export function useSubmission(known: (field: string) => boolean): Submission {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [failure, setFailure] = useState<unknown>(null);

  useEffect(() => {
    if (Object.keys(errors).length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);

  const refuse = (reason: unknown) => {
    const fields = reason instanceof Problem ? reason.byField() : {};
    const shown = Object.keys(fields).filter(known);
    const lost = Object.entries(fields).filter(([field]) => !known(field));
    setErrors(Object.fromEntries(shown.map((field) => [field, fields[field] ?? ''])));
    if (lost.length > 0) setFailure(new Error(lost.map(([field, message]) => `${field}: ${message}`).join(' ')));
    else setFailure(shown.length > 0 ? null : reason);
  };

  const submit: Submission['submit'] = async (found, send) => {
    setErrors(found);
    setFailure(null);
    if (busy || Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      await send();
    } catch (reason) {
      refuse(reason);
    } finally {
      setBusy(false);
    }
  };

  return { form, busy, errors, failure, submit };
}
