import { type FormEvent, useState } from 'react';
import { type Automation, automations } from '../../api/automations';
import { useCatalogue } from '../../app/catalogue';
import { useSubmission } from '../../app/form';
import { useSubmissionKey } from '../../app/idempotency';
import { invalidate } from '../../app/resource';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { MoneyInput } from '../../ui/MoneyInput';
import { Segmented } from '../../ui/Segmented';
import { useToast } from '../../ui/toasts';
import { checkDraft, type Draft, draftOf, EMPTY } from './draft';
import { MatchPreview } from './MatchPreview';

type Props = { automation: Automation | null; onClose: () => void };

const FIELDS = /^(name|when\.(text|account_id|min_cents|max_cents)|then\.(category_id|tags))$/;
const DIRECTIONS = [['any', 'Todas'], ['out', 'Saídas'], ['in', 'Entradas']] as const;

export function AutomationDialog({ automation, onClose }: Props) {
  const [draft, setDraft] = useState(automation ? draftOf(automation) : EMPTY);
  const [deleting, setDeleting] = useState(false);
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.test(field));
  const submission = useSubmissionKey();
  const say = useToast();
  const set = (values: Partial<Draft>) => setDraft((it) => ({ ...it, ...values }));

  const finish = (text: string) => {
    submission.done();
    invalidate();
    onClose();
    say(text);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const verdict = checkDraft(draft);
    void submit(verdict.ok ? {} : verdict.errors, async () => {
      if (!verdict.ok) return;
      const body = verdict.value;
      if (automation) {
        await automations.replace(automation, { ...body, enabled: automation.enabled, position: automation.position });
      } else {
        await automations.add(body, submission.of(body));
      }
      finish(automation ? 'Automação salva.' : 'Automação criada.');
    });
  };
  const remove = async () => {
    if (!automation) return;
    await automations.remove(automation);
    finish('Automação excluída.');
  };

  if (automation && deleting) {
    return (
      <ConfirmDialog title="Excluir automação?" action="Excluir" onConfirm={remove} onClose={() => setDeleting(false)}>
        <p>
          <strong>{automation.name}</strong> deixa de valer. O que ela já fez fica.
        </p>
      </ConfirmDialog>
    );
  }
  return (
    <Dialog title={automation ? 'Editar automação' : 'Nova automação'} onClose={onClose}>
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        <When draft={draft} errors={errors} set={set} />
        <MatchPreview draft={draft} />
        <Then draft={draft} errors={errors} set={set} />
        <FormError
          error={failure}
          onReload={() => {
            invalidate();
            onClose();
          }}
        />
        <footer className="form-actions">
          {automation && (
            <button type="button" className="button button-quiet button-start" onClick={() => setDeleting(true)}>
              Excluir
            </button>
          )}
          <button type="button" className="button button-cancel" onClick={onClose}>
            Cancelar
          </button>
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Salvando…' : 'Salvar'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

type PartProps = { draft: Draft; errors: Record<string, string>; set: (values: Partial<Draft>) => void };

function When({ draft, errors, set }: PartProps) {
  const { accounts } = useCatalogue();
  return (
    <fieldset className="form form-part">
      <legend>Quando uma transação for assim</legend>
      <Field label="A descrição tem" error={errors['when.text']} hint="Maiúsculas e acentos não importam.">
        {(control) => <input {...control} type="text" maxLength={200} autoComplete="off" value={draft.text} onChange={(event) => set({ text: event.target.value })} />}
      </Field>
      <Segmented legend="Entradas ou saídas" options={DIRECTIONS} value={draft.direction} onChange={(direction) => set({ direction })} />
      <Field label="Conta" error={errors['when.account_id']}>
        {(control) => (
          <select {...control} value={draft.accountId} onChange={(event) => set({ accountId: event.target.value })}>
            <option value="">Todas as contas</option>
            {accounts.filter((it) => !it.archived || it.id === draft.accountId).map((it) => (
              <option key={it.id} value={it.id}>
                {it.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="form-pair">
        <Field label="Valor mínimo" error={errors['when.min_cents']}>
          {(control) => <MoneyInput control={control} value={draft.min} onChange={(min) => set({ min })} />}
        </Field>
        <Field label="Valor máximo" error={errors['when.max_cents']}>
          {(control) => <MoneyInput control={control} value={draft.max} onChange={(max) => set({ max })} />}
        </Field>
      </div>
    </fieldset>
  );
}

function Then({ draft, errors, set }: PartProps) {
  const kind = draft.direction === 'any' ? undefined : draft.direction === 'in' ? 'income' : 'expense';
  return (
    <fieldset className="form form-part">
      <legend>Faça isto</legend>
      <Field label="Categoria" error={errors['then.category_id']}>
        {(control) => (
          <CategoryPicker
            control={control} value={draft.categoryId} {...(kind && { kind })} noneLabel="Não mudar" placeholder="Não mudar"
            onChange={(categoryId) => set({ categoryId })}
          />
        )}
      </Field>
      <Field label="Etiquetas" error={errors['then.tags']} hint="Separadas por vírgulas.">
        {(control) => <input {...control} type="text" autoComplete="off" value={draft.tags} onChange={(event) => set({ tags: event.target.value })} />}
      </Field>
      <label className="check">
        <input type="checkbox" checked={draft.notify} onChange={(event) => set({ notify: event.target.checked })} />
        Avisar a cada nova transação assim
      </label>
      <Field label="Nome (opcional)" error={errors.name}>
        {(control) => <input {...control} type="text" maxLength={80} autoComplete="off" value={draft.name} onChange={(event) => set({ name: event.target.value })} />}
      </Field>
    </fieldset>
  );
}
