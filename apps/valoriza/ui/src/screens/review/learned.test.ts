import { expect, test } from 'vitest';
import type { Correction } from '../../api/categorisation';
import { learnedText } from './learned';

const said = (learned: Correction['learned']) =>
  learnedText({ transaction: { description: 'PADARIA' } as Correction['transaction'], learned, correction_id: 'k' }, 'Alimentação');

test('a correction says what it did, what it taught and whom else it changed', () => {
  expect(said(null)).toBe('PADARIA: Alimentação.');
  expect(said({ id: 'l', reason: '“padaria” é Alimentação', affected: 0 })).toBe('PADARIA: Alimentação. “padaria” é Alimentação.');
  expect(said({ id: 'l', reason: 'é sempre Alimentação.', affected: 1 })).toBe(
    'PADARIA: Alimentação. é sempre Alimentação. Mais 1 transação mudou.',
  );
});
