import { expect, test } from 'vitest';
import type { Category } from '../api/types';
import { flatten, search } from './categoryTree';

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
