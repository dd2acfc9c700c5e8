import { type FormEvent, useState } from 'react';
import * as finance from '../../api/finance';
import { Problem } from '../../api/problem';
import type { Budget } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { type Errors, useSubmission } from '../../app/form';
import { useSubmissionKey } from '../../app/idempotency';
import { invalidate } from '../../app/resource';
import { monthName } from '../../domain/calendar';
import { formatAmount, moneyProblemText, parseMoney } from '../../domain/money';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { MoneyInput } from '../../ui/MoneyInput';
import { useToast } from '../../ui/toasts';

type Props = { budget: Budget | null; month: string; taken: string[]; onClose: () => void };

const FIELDS = ['category_id', 'amount_cents'];

export function BudgetDialog({ budget, month, taken, onClose }: Props) {
  const { categoryById } = useCatalogue();
  const [categoryId, setCategoryId] = useState(budget?.category_id ?? null);
  const [amount, setAmount] = useState(budget ? formatAmount(budget.amount_cents) : '');
  const [deleting, setDeleting] = useState(false);
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.includes(field));
  const submission = useSubmissionKey();
  const say = useToast();
  const name = categoryById.get(budget?.category_id ?? '')?.path;

  const finish = (text: string) => {
    submission.done();
    invalidate();
    onClose();
    say(text);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseMoney(amount);
    const found: Errors = {};
    if (categoryId === null) found.category_id = 'Escolha a categoria.';
    else if (!budget && taken.includes(categoryId)) found.category_id = 'Esta categoria já tem orçamento neste mês.';
    if (!parsed.ok) found.amount_cents = moneyProblemText(parsed.problem);
    else if (parsed.cents <= 0) found.amount_cents = 'Deve ser maior que zero.';
    void submit(found, async () => {
      if (!parsed.ok || categoryId === null) return;
      const body = { category_id: categoryId, month, amount_cents: parsed.cents };
      if (budget) await finance.budgets.change(budget, { amount_cents: parsed.cents });
      else await finance.budgets.add(body, submission.of(body));
      finish(budget ? 'Orçamento salvo.' : 'Orçamento criado.');
    });
  };
  const remove = async () => {
    if (!budget) return;
    await finance.budgets.remove(budget);
    finish('Orçamento excluído.');
  };

  if (budget && deleting) {
    return (
      <ConfirmDialog title="Excluir orçamento?" action="Excluir" onConfirm={remove} onClose={() => setDeleting(false)}>
        <p>
          O orçamento de <strong>{name}</strong> em {monthName(month)} será excluído. As transações ficam.
        </p>
      </ConfirmDialog>
    );
  }
  const exists = failure instanceof Problem && failure.code === 'budget_exists';
  return (
    <Dialog title={budget ? `Orçamento de ${name}` : 'Novo orçamento'} onClose={onClose} size="small">
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        {!budget && (
          <Field label="Categoria" error={errors.category_id ?? (exists ? 'Esta categoria já tem orçamento neste mês.' : undefined)}>
            {(control) => <CategoryPicker control={control} value={categoryId} kind="expense" onlyKind placeholder="Escolha…" onChange={setCategoryId} />}
          </Field>
        )}
        <Field label="Valor do mês" error={errors.amount_cents} hint={`Para ${monthName(month)}.`}>
          {(control) => <MoneyInput control={control} value={amount} onChange={setAmount} />}
        </Field>
        <FormError
          error={exists ? null : failure}
          onReload={() => {
            invalidate();
            onClose();
          }}
        />
        <footer className="form-actions">
          {budget && (
            <button type="button" className="button button-quiet button-start" onClick={() => setDeleting(true)}>
              Excluir
            </button>
          )}
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Salvando…' : 'Salvar'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
