import { useState } from 'react';
import type { Account } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { formatMoney } from '../../domain/money';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { AccountDialog } from './AccountDialog';
import { KINDS } from './kinds';

export function Accounts() {
  const { ready, error, reload, accounts } = useCatalogue();
  const { write } = usePermissions();
  const [editing, setEditing] = useState<{ account: Account | null } | null>(null);
  const open = accounts.filter((it) => !it.archived);
  const archived = accounts.filter((it) => it.archived);

  return (
    <>
      <div className="screen-header">
        <h1>Contas</h1>
        {write && ready && (
          <button type="button" className="button" onClick={() => setEditing({ account: null })}>
            <Icon name="plus" size={18} /> Nova conta
          </button>
        )}
      </div>
      {!ready && error ? (
        <Failure error={error} onRetry={reload} />
      ) : !ready ? (
        <>
          <LoadingNote />
          <Skeleton className="skeleton-tiles" rows={4} />
        </>
      ) : (
        <>
          {open.length === 0 ? (
            <Empty icon="wallet" title="Nenhuma conta em uso">
              <p>Cadastre onde seu dinheiro está: banco, cartão, poupança ou carteira.</p>
            </Empty>
          ) : (
            <>
              <Total accounts={open} />
              <AccountList accounts={open} label="Contas em uso" onEdit={(account) => setEditing({ account })} />
            </>
          )}
          {archived.length > 0 && (
            <details className="archived">
              <summary>Arquivadas ({archived.length})</summary>
              <AccountList accounts={archived} label="Contas arquivadas" onEdit={(account) => setEditing({ account })} />
            </details>
          )}
        </>
      )}
      {editing && <AccountDialog account={editing.account} onClose={() => setEditing(null)} />}
    </>
  );
}

/** Currencies do not add up; each has its own total. */
function Total({ accounts }: { accounts: Account[] }) {
  const totals = [...Map.groupBy(accounts, (it) => it.currency)].map(
    ([currency, of]) => [currency, of.reduce((sum, it) => sum + it.balance_cents, 0)] as const,
  );
  return (
    <div className="card total">
      <span className="total-label">Saldo total</span>
      {totals.map(([currency, cents]) => (
        <span key={currency} className="total-value">
          {formatMoney(cents, currency)}
        </span>
      ))}
    </div>
  );
}

function AccountList({ accounts, label, onEdit }: { accounts: Account[]; label: string; onEdit: (account: Account) => void }) {
  const { write } = usePermissions();
  return (
    <ul className="accounts" aria-label={label}>
      {accounts.map((account) => {
        const kind = KINDS[account.kind];
        const balanceId = `saldo-${account.id}`;
        return (
          <li key={account.id} className={account.archived ? 'card account account-archived' : 'card account'}>
            <span className="account-icon">
              <Icon name={kind.icon} />
            </span>
            <div className="account-names">
              <h2>
                <Link href={`/transacoes?conta=${account.id}`} aria-describedby={balanceId}>
                  {account.name}
                </Link>
              </h2>
              <p>{kind.label}</p>
            </div>
            <p id={balanceId} className={account.balance_cents < 0 ? 'account-balance negative' : 'account-balance'}>
              {formatMoney(account.balance_cents, account.currency)}
            </p>
            {write && (
              <button type="button" className="icon-button account-edit" aria-label={`Editar ${account.name}`} onClick={() => onEdit(account)}>
                <Icon name="edit" size={18} />
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
