/** The list's filter as it is in the address, with names people can read there. */

import type { TransactionFilter } from '../../api/finance';
import { isDate } from '../../domain/calendar';

export const NAMES = { account: 'conta', category: 'categoria', from: 'de', to: 'ate', text: 'q', uncategorised: 'sem_categoria' } as const;

export function readFilter(query: URLSearchParams): TransactionFilter {
  const text = (name: string) => query.get(name)?.trim() || undefined;
  const date = (name: string) => [text(name)].find((it) => it !== undefined && isDate(it));
  const uncategorised = query.get(NAMES.uncategorised) === '1';
  const category = uncategorised ? undefined : text(NAMES.category);
  const [account, from, to, q] = [text(NAMES.account), date(NAMES.from), date(NAMES.to), text(NAMES.text)];
  return {
    ...(account && { account_id: account }),
    ...(category && { category_id: category }),
    ...(from && { from }),
    ...(to && { to }),
    ...(q && { q }),
    ...(uncategorised && { uncategorised }),
  };
}
