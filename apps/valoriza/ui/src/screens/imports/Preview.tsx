import { useState } from 'react';
import { type Import, imports, type Statement } from '../../api/imports';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { shortDate } from '../../domain/calendar';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { Link } from '../../ui/Link';
import { RowTable } from './RowTable';
import { countText, obstacle, totalsOf } from './status';
import { type Change, useRefusals } from './useChanges';

/** `chosen` is the statement whose account was chosen last. */
type Props = { it: Import; put: (changed: Import) => void; change: Change; settled: () => Promise<unknown>; chosen: number | null };

/** What the file would bring, before anything is brought. */
export function Preview({ it, put, change, settled, chosen }: Props) {
  const { write } = usePermissions();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const reason = obstacle(it);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await settled();
      put(await imports.commit(it.id));
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <>
      <ul className="statements" aria-label="Extratos do arquivo">
        {it.statements.map((statement) => (
          <StatementCard key={statement.index} statement={statement} change={change} autoFocus={statement.index === chosen} />
        ))}
      </ul>
      <RowTable it={it} change={change} />
      {write && (
        <footer className="card confirm-bar">
          <p>{reason ?? (countText(totalsOf(it.statements)) || 'Nenhuma transação neste arquivo.')}</p>
          <button type="button" className="button button-primary" disabled={busy || reason !== null} onClick={() => void confirm()}>
            {busy ? 'Enviando…' : 'Confirmar importação'}
          </button>
          <FormError error={error} />
        </footer>
      )}
    </>
  );
}

function StatementCard({ statement, change, autoFocus }: { statement: Statement; change: Change; autoFocus: boolean }) {
  const { accounts } = useCatalogue();
  const { write } = usePermissions();
  const refuse = useRefusals();
  const { index, account_id: chosen, from, to } = statement;
  const assign = (accountId: string) => void change({ statements: [{ index, account_id: accountId }] }).catch(refuse);
  const usable = accounts.filter((account) => (!account.archived && account.currency === statement.currency) || account.id === chosen);
  return (
    <li className="card statement">
      <div className="import-names">
        <h3>{statement.label}</h3>
        <p>{[from && to ? `${shortDate(from)} a ${shortDate(to)}` : null, countText(totalsOf([statement]))].filter(Boolean).join(' · ')}</p>
      </div>
      <Field label="Conta" error={chosen === null ? 'Em que conta entra este extrato?' : undefined}>
        {(control) => (
          <select {...control} autoFocus={autoFocus} value={chosen ?? ''} disabled={!write} onChange={(event) => assign(event.target.value)}>
            {chosen === null && <option value="">Escolha…</option>}
            {usable.map((account) => (
              <option key={account.id} value={account.id}>
                {account.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {usable.length === 0 && (
        <p>
          <Link href="/contas">Crie primeiro a conta</Link>, depois volte a este arquivo.
        </p>
      )}
      {statement.warnings.map((text) => (
        <p key={text} className="alert alert-warn">
          {text}
        </p>
      ))}
    </li>
  );
}
