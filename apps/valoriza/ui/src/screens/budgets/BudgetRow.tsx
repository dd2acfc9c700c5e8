import type { Budget } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { firstDay, lastDay } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { Bar, Dot } from '../../ui/Bar';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';

/** From here on the bar warns: little is left for the rest of the month. */
const WARN_PERCENT = 85;

export function toneOf(spentCents: number, amountCents: number): 'brand' | 'warn' | 'over' {
  if (spentCents > amountCents) return 'over';
  return spentCents * 100 >= amountCents * WARN_PERCENT ? 'warn' : 'brand';
}

export function BudgetRow({ budget, onEdit }: { budget: Budget; onEdit: (budget: Budget) => void }) {
  const { categoryById } = useCatalogue();
  const { write } = usePermissions();
  const category = categoryById.get(budget.category_id);
  const name = category?.path ?? 'Categoria';
  const { amount_cents: amount, spent_cents: spent, left_cents: left, month } = budget;
  const percent = Math.round((spent / amount) * 100);
  const query = new URLSearchParams({ categoria: budget.category_id, de: firstDay(month), ate: lastDay(month) });
  return (
    <li className="budget">
      <div className="budget-head">
        <Link href={`/transacoes?${query}`} className="budget-name">
          <Dot color={category?.color} /> {name}
        </Link>
        <span className={left < 0 ? 'budget-left negative' : 'budget-left'}>
          {left < 0 ? `${formatMoney(-left)} acima` : `${formatMoney(left)} restantes`}
        </span>
        {write && (
          <button type="button" className="icon-button" aria-label={`Editar orçamento de ${name}`} onClick={() => onEdit(budget)}>
            <Icon name="edit" size={18} />
          </button>
        )}
      </div>
      <Bar label={`${name}: ${percent}% do orçamento`} value={spent} max={amount} tone={toneOf(spent, amount)} />
      <div className="budget-foot">
        <span>
          {formatMoney(spent)} de {formatMoney(amount)}
        </span>
        <span>{percent.toLocaleString('pt-BR')}%</span>
      </div>
    </li>
  );
}
