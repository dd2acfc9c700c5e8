import { type FormEvent, type ReactNode, useState } from 'react';
import type { NormalDraft, TransferDraft } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { useSubmission } from '../../app/form';
import { parseMoney } from '../../domain/money';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { Icon } from '../../ui/Icon';
import { MoneyInput } from '../../ui/MoneyInput';
import { Segmented } from '../../ui/Segmented';
import { AccountSelect } from './AccountSelect';
import { checkDraft, type Draft, type Flow, newPart } from './draft';
import { SplitEditor } from './SplitEditor';

type Props = {
  initial: Draft;
  /** What is edited keeps being a transfer or not, and a transfer its accounts. */
  editing: boolean;
  readOnly: boolean;
  onSend: (body: NormalDraft | TransferDraft) => Promise<void>;
  onReload: () => void;
  actions: ReactNode;
  /** What is known beyond the fields. */
  children?: ReactNode;
};

const ALL_FLOWS = [['expense', 'Despesa'], ['income', 'Receita'], ['transfer', 'Transferência']] as const;
const FIELDS = /^(amount_cents|description|account_id|transfer_account_id|category_id|date|notes|tags|splits(\.\d+\.(amount_cents|category_id))?)$/;

export function TransactionForm({ initial, editing, readOnly, onSend, onReload, actions, children }: Props) {
  const { accounts } = useCatalogue();
  const [draft, setDraft] = useState(initial);
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.test(field));
  const set = (values: Partial<Draft>) => setDraft((it) => ({ ...it, ...values }));

  const isTransfer = draft.flow === 'transfer';
  const flows: readonly (readonly [Flow, string])[] = !editing ? ALL_FLOWS : ALL_FLOWS.filter(([flow]) => (flow === 'transfer') === isTransfer);
  const kind = draft.flow === 'income' ? 'income' : 'expense';
  const amount = parseMoney(draft.amount);
  const totalCents = amount.ok ? Math.max(0, amount.cents) : 0;

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const verdict = checkDraft(draft);
    void submit(verdict.ok ? {} : verdict.errors, async () => {
      if (verdict.ok) await onSend(verdict.body);
    });
  };

  return (
    <form ref={form} className="form" noValidate onSubmit={onSubmit}>
      <fieldset className="form-fields" disabled={readOnly}>
        {flows.length > 1 && <Segmented legend="Tipo" options={flows} value={draft.flow} onChange={(flow) => set({ flow })} />}
        <Field label="Valor" error={errors.amount_cents}>
          {(control) => <MoneyInput control={control} large autoFocus={!editing} value={draft.amount} onChange={(text) => set({ amount: text })} />}
        </Field>
        <Field label="Descrição" error={errors.description}>
          {(control) => (
            <input {...control} type="text" maxLength={200} autoComplete="off" value={draft.description} onChange={(event) => set({ description: event.target.value })} />
          )}
        </Field>
        <div className="form-pair">
          <AccountSelect
            label={isTransfer ? 'Da conta' : 'Conta'} accounts={accounts} value={draft.accountId} error={errors.account_id}
            disabled={editing && isTransfer} onChange={(accountId) => set({ accountId })}
          />
          {isTransfer && (
            <AccountSelect
              label="Para a conta" accounts={accounts} value={draft.toAccountId} error={errors.transfer_account_id}
              disabled={editing} onChange={(toAccountId) => set({ toAccountId })}
            />
          )}
          <Field label="Data" error={errors.date}>
            {(control) => <input {...control} type="date" value={draft.date} onChange={(event) => set({ date: event.target.value })} />}
          </Field>
        </div>
        {!isTransfer && !draft.parts && (
          <div className="with-side-button">
            <Field label="Categoria" error={errors.category_id}>
              {(control) => (
                <CategoryPicker control={control} value={draft.categoryId} kind={kind} noneLabel="Sem categoria" placeholder="Sem categoria" onChange={(categoryId) => set({ categoryId })} />
              )}
            </Field>
            <button
              type="button" className="button"
              onClick={() => set({ parts: [{ ...newPart(), categoryId: draft.categoryId }, newPart()] })}
            >
              <Icon name="split" size={18} /> Dividir
            </button>
          </div>
        )}
        {!isTransfer && draft.parts && (
          <SplitEditor
            totalCents={totalCents} parts={draft.parts} kind={kind} errors={errors}
            onChange={(parts) => set({ parts })}
            onCancel={() => set({ parts: null, categoryId: draft.parts?.[0]?.categoryId ?? null })}
          />
        )}
        {!isTransfer && (
          <Field label="Etiquetas (opcional)" error={errors.tags} hint="Separadas por vírgulas.">
            {(control) => <input {...control} type="text" autoComplete="off" value={draft.tags} onChange={(event) => set({ tags: event.target.value })} />}
          </Field>
        )}
        <Field label="Observações (opcional)" error={errors.notes}>
          {(control) => <textarea {...control} rows={2} maxLength={2000} value={draft.notes} onChange={(event) => set({ notes: event.target.value })} />}
        </Field>
      </fieldset>
      {children}
      <FormError error={failure} onReload={onReload} />
      {!readOnly && (
        <footer className="form-actions">
          {actions}
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Salvando…' : editing ? 'Salvar' : 'Adicionar'}
          </button>
        </footer>
      )}
    </form>
  );
}
