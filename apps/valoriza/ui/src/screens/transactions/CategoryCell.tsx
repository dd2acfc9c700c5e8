import { useRef, useState } from 'react';
import { type Correction, corrections } from '../../api/categorisation';
import * as finance from '../../api/finance';
import { explain, Problem } from '../../api/problem';
import type { Transaction } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { useComposer } from '../../app/composer';
import { usePermissions } from '../../app/permissions';
import { Dot } from '../../ui/Bar';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { Icon } from '../../ui/Icon';
import { useToast } from '../../ui/toasts';
import { learnedText } from '../review/learned';

type Props = { transaction: Transaction; onChanged: (changed: Transaction) => void; onStale: () => void };

/** A transaction's category: a button that becomes a picker, so that reviewing a list needs no dialog. */
export function CategoryCell({ transaction, onChanged, onStale }: Props) {
  const { accountById, categoryById } = useCatalogue();
  const { write } = usePermissions();
  const compose = useComposer();

  if (transaction.kind === 'transfer') {
    const other = accountById.get(transaction.transfer_account_id ?? '')?.name ?? 'outra conta';
    return (
      <span className="category-text">
        <Icon name="transfer" size={16} /> {transaction.amount_cents < 0 ? `Para ${other}` : `De ${other}`}
      </span>
    );
  }
  if (transaction.splits.length > 0) {
    const names = transaction.splits.map((it) => categoryById.get(it.category_id ?? '')?.name ?? 'Sem categoria').join(', ');
    return (
      <button type="button" className="category-button" title={names} disabled={!write} onClick={() => compose(transaction)}>
        <Icon name="split" size={16} /> <span>Dividida em {transaction.splits.length}</span>
      </button>
    );
  }
  return <SingleCategory transaction={transaction} onChanged={onChanged} onStale={onStale} />;
}

function SingleCategory({ transaction, onChanged, onStale }: Props) {
  const { categoryById } = useCatalogue();
  const { write } = usePermissions();
  const say = useToast();
  const [picking, setPicking] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const category = categoryById.get(transaction.category_id ?? '');

  const refuse = (error: unknown) => {
    const stale = error instanceof Problem && error.status === 412;
    say(explain(error), { tone: 'error', ...(stale && { action: { label: 'Recarregar', run: onStale } }) });
  };
  /** Takes a category away, which teaches nothing, or puts the one before back. */
  const assign = async (of: Transaction, categoryId: string | null): Promise<Transaction | null> => {
    try {
      const changed = await finance.transactions.change(of, { category_id: categoryId });
      onChanged(changed);
      return changed;
    } catch (error) {
      refuse(error);
      return null;
    }
  };
  const clear = async () => {
    const changed = await assign(transaction, null);
    if (!changed) return;
    say(`${transaction.description}: Sem categoria`, {
      action: { label: 'Desfazer', run: () => void assign(changed, transaction.category_id) },
    });
  };
  const undo = async (correction: Correction) => {
    try {
      await corrections.undo(correction.correction_id);
      onChanged(await finance.transactions.one(transaction.id));
    } catch (error) {
      refuse(error);
    }
  };
  const correct = async (categoryId: string) => {
    try {
      const correction = await corrections.add(transaction.id, { category_id: categoryId, similar: false });
      onChanged(correction.transaction);
      say(learnedText(correction, categoryById.get(categoryId)?.name ?? ''), { action: { label: 'Desfazer', run: () => void undo(correction) } });
    } catch (error) {
      refuse(error);
    }
  };
  const pick = (categoryId: string | null) => {
    if (categoryId === transaction.category_id) return;
    void (categoryId === null ? clear() : correct(categoryId));
  };

  if (picking) {
    return (
      <CategoryPicker
        control={{ id: `categoria-${transaction.id}`, 'aria-label': `Categoria de ${transaction.description}` }}
        value={transaction.category_id} kind={transaction.amount_cents < 0 ? 'expense' : 'income'}
        noneLabel="Sem categoria" onChange={pick}
        inline={{
          onLeave: (how) => {
            setPicking(false);
            // The button takes the picker's place and its focus, unless the person has gone elsewhere.
            if (how !== 'blurred') requestAnimationFrame(() => button.current?.focus());
          },
        }}
      />
    );
  }
  return (
    <button
      ref={button} type="button" className={category ? 'category-button' : 'category-button category-missing'} disabled={!write}
      aria-label={`Categoria de ${transaction.description}: ${category?.path ?? 'sem categoria'}. Alterar`}
      onClick={() => setPicking(true)}
    >
      <Dot color={category?.color} /> <span>{category?.name ?? 'Sem categoria'}</span>
    </button>
  );
}
