/** Accounts and categories, which nearly every screen needs by id. */

import { createContext, type ReactNode, useContext, useMemo } from 'react';
import * as finance from '../api/finance';
import type { Account } from '../api/types';
import { type CategoryNode, flatten } from '../domain/categoryTree';
import { useResource } from './resource';

export type Catalogue = {
  /** False until both have been read; then the maps can be trusted. */
  ready: boolean;
  error: unknown;
  reload: () => void;
  accounts: Account[];
  accountById: Map<string, Account>;
  categories: CategoryNode[];
  categoryById: Map<string, CategoryNode>;
};

const Context = createContext<Catalogue | null>(null);

export function CatalogueProvider({ children }: { children: ReactNode }) {
  const accounts = useResource('accounts', finance.accounts.list);
  const categories = useResource('categories', finance.categories.list);
  const value = useMemo((): Catalogue => {
    const nodes = flatten(categories.data ?? []);
    return {
      ready: accounts.data !== null && categories.data !== null,
      error: accounts.error ?? categories.error,
      reload: () => {
        accounts.reload();
        categories.reload();
      },
      accounts: accounts.data ?? [],
      accountById: new Map((accounts.data ?? []).map((it) => [it.id, it])),
      categories: nodes,
      categoryById: new Map(nodes.map((it) => [it.id, it])),
    };
  }, [accounts.data, accounts.error, accounts.reload, categories.data, categories.error, categories.reload]);
  return <Context value={value}>{children}</Context>;
}

export function useCatalogue(): Catalogue {
  const value = useContext(Context);
  if (!value) throw new Error('useCatalogue is used outside of CatalogueProvider');
  return value;
}
