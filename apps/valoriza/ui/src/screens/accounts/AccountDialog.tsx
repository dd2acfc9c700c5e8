import { type FormEvent, useState } from 'react';
import * as finance from '../../api/finance';
import type { Account, AccountKind } from '../../api/types';
import { type Errors, useSubmission } from '../../app/form';
import { useSubmissionKey } from '../../app/idempotency';
import { usePermissions } from '../../app/permissions';
import { invalidate } from '../../app/resource';
import { formatAmount, moneyProblemText, parseMoney } from '../../domain/money';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { MoneyInput } from '../../ui/MoneyInput';
import { useToast } from '../../ui/toasts';
import { KIND_NAMES, KINDS } from './kinds';

type Props = { account: Account | null; onClose: () => void };

const FIELDS = ['name', 'kind', 'opening_balance_cents'];

export function AccountDialog({ account, onClose }: Props) {
  const { deleteAccounts } = usePermissions();
  const [name, setName] = useState(account?.name ?? '');
  const [kind, setKind] = useState<AccountKind>(account?.kind ?? 'checking');
  const [opening, setOpening] = useState(account ? formatAmount(account.opening_balance_cents) : '');
  const [deleting, setDeleting] = useState(false);
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.includes(field));
  const submission = useSubmissionKey();
  const say = useToast();

  const finish = (text: string) => {
    submission.done();
    invalidate();
    onClose();
    say(text);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const balance = opening.trim() === '' ? { ok: true as const, cents: 0 } : parseMoney(opening);
    const found: Errors = {
      ...(name.trim() === '' && { name: 'Informe o nome.' }),
      ...(!balance.ok && { opening_balance_cents: moneyProblemText(balance.problem) }),
    };
    const body = { name: name.trim(), kind, opening_balance_cents: balance.ok ? balance.cents : 0 };
    void submit(found, async () => {
      if (account) await finance.accounts.change(account, body);
      else await finance.accounts.add(body, submission.of(body));
      finish(account ? 'Conta salva.' : 'Conta criada.');
    });
  };
  const archive = () =>
    submit({}, async () => {
      if (!account) return;
      await finance.accounts.change(account, { archived: !account.archived });
      finish(account.archived ? 'Conta reativada.' : 'Conta arquivada.');
    });
  const remove = async () => {
    if (!account) return;
    await finance.accounts.remove(account);
    finish('Conta excluída.');
  };

  if (account && deleting) {
    return (
      <ConfirmDialog title="Excluir conta?" action="Excluir" onConfirm={remove} onClose={() => setDeleting(false)}>
        <p>
          A conta <strong>{account.name}</strong> será excluída. Contas com transações não podem ser excluídas; arquive-as.
        </p>
      </ConfirmDialog>
    );
  }
  return (
    <Dialog title={account ? 'Editar conta' : 'Nova conta'} onClose={onClose} size="small">
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        <Field label="Nome" error={errors.name}>
          {(control) => <input {...control} type="text" maxLength={80} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="Tipo" error={errors.kind}>
          {(control) => (
            <select {...control} value={kind} onChange={(event) => setKind(event.target.value as AccountKind)}>
              {KIND_NAMES.map((it) => (
                <option key={it} value={it}>
                  {KINDS[it].label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Saldo inicial" error={errors.opening_balance_cents} hint="Antes da primeira transação. Negativo se for dívida.">
          {(control) => <MoneyInput control={control} value={opening} onChange={setOpening} />}
        </Field>
        <FormError
          error={failure}
          onReload={() => {
            invalidate();
            onClose();
          }}
        />
        <footer className="form-actions">
          {account && (
            <div className="button-start">
              <button type="button" className="button button-quiet" disabled={busy} onClick={() => void archive()}>
                {account.archived ? 'Reativar' : 'Arquivar'}
              </button>
              {deleteAccounts && (
                <button type="button" className="button button-quiet" onClick={() => setDeleting(true)}>
                  Excluir
                </button>
              )}
            </div>
          )}
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Salvando…' : account ? 'Salvar' : 'Criar conta'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
