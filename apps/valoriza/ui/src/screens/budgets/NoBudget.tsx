import { useState } from 'react';
import * as finance from '../../api/finance';
import { explain } from '../../api/problem';
import { freshKey } from '../../app/idempotency';
import { usePermissions } from '../../app/permissions';
import { invalidate, useResource } from '../../app/resource';
import { addMonths, monthNameOnly } from '../../domain/calendar';
import { Empty } from '../../ui/states';
import { useToast } from '../../ui/toasts';

/** A month without budgets offers those of the month before, as most months resemble it. */
export function NoBudget({ month }: { month: string }) {
  const before = addMonths(month, -1);
  const previous = useResource(`budgets ${before}`, (signal) => finance.budgets.list(before, signal));
  const { write } = usePermissions();
  const [busy, setBusy] = useState(false);
  const say = useToast();

  const copy = async () => {
    setBusy(true);
    try {
      for (const { category_id, amount_cents } of previous.data ?? []) {
        await finance.budgets.add({ category_id, amount_cents, month }, freshKey());
      }
      say('Orçamentos copiados.');
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    setBusy(false);
    invalidate();
  };

  return (
    <Empty icon="target" title="Nenhum orçamento neste mês">
      <p>Defina quanto pretende gastar em cada categoria e acompanhe o que resta.</p>
      {write && previous.data && previous.data.length > 0 && (
        <button type="button" className="button button-primary" disabled={busy} onClick={() => void copy()}>
          {busy ? 'Copiando…' : `Copiar de ${monthNameOnly(before)}`}
        </button>
      )}
    </Empty>
  );
}
