import { memo } from 'react';
import type { Transaction } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { useComposer } from '../../app/composer';
import { formatMoney } from '../../domain/money';
import { Tags } from '../../ui/Tags';
import { WhyChip } from '../../ui/WhyChip';
import { CategoryCell } from './CategoryCell';

/** What the person chose needs no explanation. */
function isAutomatic(it: Transaction): it is Transaction & { categorised: NonNullable<Transaction['categorised']> } {
  return it.categorised !== null && it.categorised.source !== 'user';
}

type Props = { transaction: Transaction; onChanged: (changed: Transaction) => void; onStale: () => void };

export const TransactionRow = memo(function TransactionRow({ transaction, onChanged, onStale }: Props) {
  const { accountById } = useCatalogue();
  const compose = useComposer();
  const { amount_cents: cents } = transaction;
  const tone = transaction.kind === 'transfer' ? 'amount' : cents > 0 ? 'amount amount-in' : 'amount';
  return (
    <li className="row">
      <button type="button" className="row-open" onClick={() => compose(transaction)}>
        <span className="row-description">{transaction.description}</span>
        <span className="row-account">
          {accountById.get(transaction.account_id)?.name}
          {transaction.notes && <span className="row-notes"> · {transaction.notes}</span>}
        </span>
        {transaction.tags.length > 0 && (
          <span className="row-tags">
            <Tags tags={transaction.tags} />
          </span>
        )}
      </button>
      <div className="row-category">
        <CategoryCell transaction={transaction} onChanged={onChanged} onStale={onStale} />
        {isAutomatic(transaction) && <WhyChip why={transaction.categorised} brief />}
      </div>
      <span className={tone}>
        {cents > 0 ? '+' : ''}
        {formatMoney(cents, transaction.currency)}
      </span>
    </li>
  );
});
