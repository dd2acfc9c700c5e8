import { useState } from 'react';
import * as finance from '../../api/finance';
import type { Budget } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { useResource } from '../../app/resource';
import { useQuery } from '../../app/router';
import { currentMonth, isMonth } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { Bar } from '../../ui/Bar';
import { Icon } from '../../ui/Icon';
import { MonthSwitcher } from '../../ui/MonthSwitcher';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { BudgetDialog } from './BudgetDialog';
import { BudgetRow, toneOf } from './BudgetRow';
import { NoBudget } from './NoBudget';

export function Budgets() {
  const [query, change] = useQuery();
  const asked = query.get('mes') ?? '';
  const month = isMonth(asked) ? asked : currentMonth();
  const catalogue = useCatalogue();
  const { write } = usePermissions();
  const budgets = useResource(`budgets ${month}`, (signal) => finance.budgets.list(month, signal));
  const [editing, setEditing] = useState<{ budget: Budget | null } | null>(null);
  const ready = budgets.data !== null && catalogue.ready;
  const error = budgets.data ? (catalogue.ready ? null : catalogue.error) : budgets.error;
  const retry = () => {
    budgets.reload();
    catalogue.reload();
  };

  return (
    <>
      <div className="screen-header">
        <h1>Orçamentos</h1>
        <MonthSwitcher month={month} onChange={(it) => change({ mes: it === currentMonth() ? null : it })} />
        {write && ready && (
          <button type="button" className="button" onClick={() => setEditing({ budget: null })}>
            <Icon name="plus" size={18} /> Novo orçamento
          </button>
        )}
      </div>
      {error ? (
        <Failure error={error} onRetry={retry} />
      ) : !budgets.data || !catalogue.ready ? (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={5} />
        </div>
      ) : budgets.data.length === 0 ? (
        <NoBudget month={month} />
      ) : (
        <BudgetList budgets={budgets.data} onEdit={(budget) => setEditing({ budget })} />
      )}
      {editing && budgets.data && (
        <BudgetDialog budget={editing.budget} month={month} taken={budgets.data.map((it) => it.category_id)} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

function BudgetList({ budgets, onEdit }: { budgets: Budget[]; onEdit: (budget: Budget) => void }) {
  const { categoryById } = useCatalogue();
  const path = (it: Budget) => categoryById.get(it.category_id)?.path ?? '';
  const sorted = budgets.toSorted((a, b) => path(a).localeCompare(path(b), 'pt-BR'));
  return (
    <>
      <Totals budgets={budgets} />
      <ul className="card budgets">
        {sorted.map((it) => (
          <BudgetRow key={it.id} budget={it} onEdit={onEdit} />
        ))}
      </ul>
    </>
  );
}

/** A budget within another's category is part of it and is not counted twice. */
function Totals({ budgets }: { budgets: Budget[] }) {
  const { categoryById } = useCatalogue();
  const budgeted = new Set(budgets.map((it) => it.category_id));
  const isWithinAnother = (id: string): boolean => {
    const parent = categoryById.get(id)?.parent_id ?? null;
    return parent !== null && (budgeted.has(parent) || isWithinAnother(parent));
  };
  const outermost = budgets.filter((it) => !isWithinAnother(it.category_id));
  const amount = outermost.reduce((sum, it) => sum + it.amount_cents, 0);
  const spent = outermost.reduce((sum, it) => sum + it.spent_cents, 0);
  return (
    <div className="card budget-total">
      <dl>
        <div>
          <dt>Orçado</dt>
          <dd>{formatMoney(amount)}</dd>
        </div>
        <div>
          <dt>Gasto</dt>
          <dd>{formatMoney(spent)}</dd>
        </div>
        <div>
          <dt>{spent > amount ? 'Acima' : 'Restante'}</dt>
          <dd className={spent > amount ? 'negative' : undefined}>{formatMoney(Math.abs(amount - spent))}</dd>
        </div>
      </dl>
      <Bar label={`Gasto ${formatMoney(spent)} de ${formatMoney(amount)}`} value={spent} max={amount} tone={toneOf(spent, amount)} />
    </div>
  );
}
