import { expect, test } from 'vitest';
import { SubmissionKey } from './idempotency';

test('a repeated submission repeats its key, another body or a finished one does not', () => {
  const submission = new SubmissionKey();
  const first = submission.of({ amount_cents: 1 });
  expect(submission.of({ amount_cents: 1 })).toBe(first);
  const second = submission.of({ amount_cents: 2 });
  expect(second).not.toBe(first);
  submission.done();
  expect(submission.of({ amount_cents: 2 })).not.toBe(second);
});
