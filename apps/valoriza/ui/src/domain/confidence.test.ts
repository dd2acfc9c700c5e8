import { expect, test } from 'vitest';
import { confidenceText, percentOf } from './confidence';

test.each([
  [1, 'Quase certo · 100%'],
  [0.997, 'Quase certo · 99%'],
  [0.95, 'Quase certo · 95%'],
  [0.9499, 'Muito provável · 94%'],
  [0.8, 'Muito provável · 80%'],
  [0.6, 'Provável · 60%'],
  [0.4, 'Possível · 40%'],
  [0.1, 'Palpite · 10%'],
])('a confidence of %f reads %s', (confidence, text) => expect(confidenceText(confidence)).toBe(text));

test('a percentage stays within what it means, and floats do not lower it', () => {
  expect([percentOf(-1), percentOf(2), percentOf(0.29), percentOf(0.57)]).toEqual([0, 100, 29, 57]);
});
