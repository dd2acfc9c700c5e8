import { expect, test } from 'vitest';
import { formatTags, parseTags, tagsProblem } from './tags';

test('tags are read once each, in the order written', () => {
  expect(parseTags(' viagem, #casa,, viagem ,férias de julho')).toEqual(['viagem', 'casa', 'férias de julho']);
  expect(parseTags(formatTags(['a', 'b c']))).toEqual(['a', 'b c']);
  expect(parseTags(' ')).toEqual([]);
});

test('too many or too long ones are told before they are sent', () => {
  expect(tagsProblem(['ok'])).toBeNull();
  expect(tagsProblem(['x'.repeat(31)])).toMatch(/longa/);
  expect(tagsProblem(Array.from({ length: 21 }, String))).toMatch(/20/);
});
