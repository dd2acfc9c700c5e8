import type { CategoryKind, Summary } from '../../api/types';
import { firstDay, lastDay } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { Bar, Dot } from '../../ui/Bar';
import { Link } from '../../ui/Link';

type Props = { summary: Summary; kind: CategoryKind; title: string };

/** Where the month's money went, largest first; each leads to its transactions. */
export function CategoryBreakdown({ summary, kind, title }: Props) {
  const rows = summary.by_category.filter((it) => it.kind === kind && it.amount_cents > 0);
  const total = rows.reduce((sum, it) => sum + it.amount_cents, 0);
  const largest = rows[0]?.amount_cents ?? 0;
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 && <p className="muted">Nada neste mês.</p>}
      <ul className="breakdown">
        {rows.map((row) => {
          const share = `${Math.round((row.amount_cents / total) * 100)}%`;
          return (
            <li key={`${row.category_id}`}>
              <Link href={`/transacoes?${filterOf(summary.month, row.category_id)}`} className="breakdown-row">
                <span className="breakdown-name">
                  <Dot color={row.category_id === null ? null : row.color} /> <span>{row.name}</span>
                </span>
                <span className="breakdown-share">{share}</span>
                <span className="breakdown-amount">{formatMoney(row.amount_cents)}</span>
                <Bar
                  label={share} value={row.amount_cents} max={largest} tone="neutral"
                  {...(row.category_id !== null && row.color && { color: row.color })}
                />
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function filterOf(month: string, categoryId: string | null): URLSearchParams {
  return new URLSearchParams({
    ...(categoryId === null ? { sem_categoria: '1' } : { categoria: categoryId }),
    de: firstDay(month),
    ate: lastDay(month),
  });
}
