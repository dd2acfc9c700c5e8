import { expect, test } from 'vitest';
import { commandOf } from './keys';

test.each([
  ['Enter', { do: 'accept' }],
  ['a', { do: 'accept' }],
  ['A', { do: 'accept' }],
  ['c', { do: 'correct', text: '' }],
  ['j', { do: 'next' }],
  ['ArrowDown', { do: 'next' }],
  ['k', { do: 'previous' }],
  ['s', { do: 'skip' }],
  ['p', { do: 'similar' }],
  ['z', { do: 'undo' }],
  ['2', { do: 'alternative', position: 1 }],
  ['m', { do: 'correct', text: 'm' }],
  ['é', { do: 'correct', text: 'é' }],
  ['n', null],
  ['/', null],
  ['?', null],
  ['9', null],
  ['Shift', null],
  ['Tab', null],
  [' ', null],
] as const)('%s does %j', (key, command) => expect(commandOf(key, false)).toEqual(command));

test('Enter on a button is the button’s', () => {
  expect(commandOf('Enter', true)).toBeNull();
  expect(commandOf('a', true)).toEqual({ do: 'accept' });
});
