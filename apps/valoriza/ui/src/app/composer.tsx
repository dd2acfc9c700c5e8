/** The form of a transaction, which any screen may open, for a new one or for one to edit. */

import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import type { Transaction } from '../api/types';
import { TransactionDialog } from '../screens/transactions/TransactionDialog';

type Open = (transaction: Transaction | null) => void;

const Context = createContext<Open | null>(null);

export function ComposerProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ transaction: Transaction | null } | null>(null);
  const open = useCallback<Open>((transaction) => setShown({ transaction }), []);
  return (
    <Context value={open}>
      {children}
      {shown && <TransactionDialog key={shown.transaction?.id} transaction={shown.transaction} onClose={() => setShown(null)} />}
    </Context>
  );
}

export function useComposer(): Open {
  const open = useContext(Context);
  if (!open) throw new Error('useComposer is used outside of ComposerProvider');
  return open;
}
