import { expect, test } from 'vitest';
import type { Automation } from '../../api/automations';
import { checkCondition, checkDraft, conditionText, type Draft, draftOf, EMPTY, moved } from './draft';

const draft = (change: Partial<Draft>): Draft => ({ ...EMPTY, ...change });
const mistakes = (change: Partial<Draft>) => {
  const verdict = checkDraft(draft(change));
  return verdict.ok ? [] : Object.keys(verdict.errors);
};

test('an automation has a condition and a consequence', () => {
  expect(mistakes({ text: 'uber', notify: true })).toEqual([]);
  expect(mistakes({ notify: true })).toEqual(['when.text']);
  expect(mistakes({ text: 'uber' })).toEqual(['then.category_id']);
  expect(mistakes({ text: 'uber', tags: 'x'.repeat(31) })).toEqual(['then.tags']);
});

test('bounds are amounts without a sign, the least before the most', () => {
  expect(mistakes({ min: 'x', notify: true })).toEqual(['when.min_cents']);
  expect(mistakes({ min: '-1', notify: true })).toEqual(['when.min_cents']);
  expect(mistakes({ min: '10', max: '9,99', notify: true })).toEqual(['when.max_cents']);
  expect(checkCondition(draft({ min: '10', max: '10' }))).toMatchObject({ ok: true, value: { min_cents: 1_000, max_cents: 1_000 } });
});

test('what is edited is what was saved, and the name comes from the text unless one is given', () => {
  const full = draft({ name: 'App', text: 'uber', accountId: 'a', direction: 'out', min: '1,00', max: '50,00', categoryId: 'c', tags: 'x, y', notify: true });
  const verdict = checkDraft(full);
  expect(verdict.ok && draftOf(verdict.value)).toEqual(full);
  expect(checkDraft(draft({ text: ' uber ', notify: true }))).toMatchObject({ ok: true, value: { name: 'uber', when: { text: 'uber' } } });
});

test('a condition reads as a sentence', () => {
  const when = { text: 'uber', account_id: 'a', direction: 'out', min_cents: null, max_cents: 5_000 } as const;
  expect(conditionText(when, () => 'Nubank')).toBe('Se a descrição tem “uber”, na conta Nubank, saídas, até R$\u00a050,00');
});

test('moving one changes only the positions that must', () => {
  const all = ['x', 'y', 'z'].map((id, at) => ({ id, position: at + 1 }) as Automation);
  const changes = (id: string, by: 1 | -1) => moved(all, id, by).map((it) => [it.automation.id, it.position]);
  expect(changes('y', -1)).toEqual([['y', 1], ['x', 2]]);
  expect(changes('x', -1)).toEqual([]);
  expect(changes('z', 1)).toEqual([]);
});
