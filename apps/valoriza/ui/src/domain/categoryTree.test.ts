import { expect, test } from 'vitest';
import type { Category } from '../api/types';
import { flatten, parentsFor, search } from './categoryTree';

const category = (id: string, name: string, parent_id: string | null = null, kind: Category['kind'] = 'expense'): Category => ({
  id, name, parent_id, kind, color: '#2563eb', icon: null, version: 1, created_at: '', updated_at: '',
});

const nodes = flatten([
  category('r', 'Restaurantes', 'a'),
  category('m', 'Moradia'),
  category('a', 'Alimentação'),
  category('o', 'Água', 'm'),
  category('s', 'Salário', null, 'income'),
  category('x', 'Órfã', 'gone'),
]);

test('parents come before their children and siblings by name', () => {
  expect(nodes.map((it) => it.path)).toEqual([
    'Alimentação', 'Alimentação › Restaurantes', 'Moradia', 'Moradia › Água', 'Órfã', 'Salário',
  ]);
  expect(nodes.map((it) => it.depth)).toEqual([0, 1, 0, 1, 0, 0]);
});

test('search ignores accents and case and looks at the whole path', () => {
  expect(search(nodes, 'ALIMENTACAO rest').map((it) => it.id)).toEqual(['r']);
  expect(search(nodes, 'agua').map((it) => it.id)).toEqual(['o']);
  expect(search(nodes, 'nada')).toEqual([]);
});

test('the likely kind comes first', () => {
  expect(search(nodes, '', 'income')[0]?.id).toBe('s');
});

test('a category is never put within itself, under another kind or too deep', () => {
  const deep = flatten([category('1', 'A'), category('2', 'B', '1'), category('3', 'C', '2'), category('4', 'D'), category('5', 'E', '4'), category('i', 'I', null, 'income')]);
  const ids = (id: string | null) => parentsFor(deep, deep.find((it) => it.id === id) ?? null, 'expense').map((it) => it.id).join('');
  expect(ids(null)).toBe('1245');
  expect(ids('1')).toBe('');
  expect(ids('2')).toBe('14');
  expect(ids('3')).toBe('1245');
  expect(ids('4')).toBe('1');
});
