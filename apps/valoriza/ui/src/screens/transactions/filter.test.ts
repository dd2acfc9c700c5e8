import { expect, test } from 'vitest';
import { readFilter } from './filter';

test.each([
  ['', {}],
  ['conta=a&categoria=b&de=2026-11-01&ate=2026-11-30&q=+pix+', { account_id: 'a', category_id: 'b', from: '2026-11-01', to: '2026-11-30', q: 'pix' }],
  ['sem_categoria=1&categoria=b', { uncategorised: true }],
  ['de=ontem&ate=2026-02-30&sem_categoria=0', {}],
])('%s', (query, filter) => expect(readFilter(new URLSearchParams(query))).toEqual(filter));
