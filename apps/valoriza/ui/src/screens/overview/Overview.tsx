import * as finance from '../../api/finance';
import type { Summary } from '../../api/types';
import { useComposer } from '../../app/composer';
import { usePermissions } from '../../app/permissions';
import { useResource } from '../../app/resource';
import { useQuery } from '../../app/router';
import { currentMonth, firstDay, isMonth, lastDay } from '../../domain/calendar';
import { DailyChart } from '../../ui/DailyChart';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { MonthSwitcher } from '../../ui/MonthSwitcher';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { CategoryBreakdown } from './CategoryBreakdown';
import { Tiles } from './Tiles';

export function Overview() {
  const [query, change] = useQuery();
  const asked = query.get('mes') ?? '';
  const month = isMonth(asked) ? asked : currentMonth();
  const { data, error, reload } = useResource(`summary ${month}`, (signal) => finance.summary(month, signal));

  return (
    <>
      <div className="screen-header">
        <h1>Visão geral</h1>
        <MonthSwitcher month={month} onChange={(it) => change({ mes: it === currentMonth() ? null : it })} />
      </div>
      {data ? <MonthReport summary={data} /> : error ? <Failure error={error} onRetry={reload} /> : <Loading />}
    </>
  );
}

function Loading() {
  return (
    <>
      <LoadingNote />
      <Skeleton className="skeleton-tiles" rows={4} />
      <Skeleton className="skeleton-chart" rows={1} />
    </>
  );
}

function MonthReport({ summary }: { summary: Summary }) {
  const moved = summary.by_day.some((day) => day.income_cents !== 0 || day.expense_cents !== 0);
  return (
    <>
      <Tiles summary={summary} />
      {summary.uncategorised_count > 0 && <Uncategorised summary={summary} />}
      {moved ? (
        <>
          <section className="card" aria-labelledby="dia-a-dia">
            <h2 id="dia-a-dia">Dia a dia</h2>
            <DailyChart days={summary.by_day} />
          </section>
          <div className="columns">
            <CategoryBreakdown summary={summary} kind="expense" title="Despesas por categoria" />
            <CategoryBreakdown summary={summary} kind="income" title="Receitas por categoria" />
          </div>
        </>
      ) : (
        <NothingMoved />
      )}
    </>
  );
}

function Uncategorised({ summary }: { summary: Summary }) {
  const count = summary.uncategorised_count;
  const query = new URLSearchParams({ sem_categoria: '1', de: firstDay(summary.month), ate: lastDay(summary.month) });
  return (
    <Link href={`/transacoes?${query}`} className="notice">
      <span>
        <strong>{count === 1 ? '1 transação' : `${count.toLocaleString('pt-BR')} transações`}</strong> sem categoria neste mês
      </span>
      <span className="notice-action">
        Categorizar <Icon name="right" size={16} />
      </span>
    </Link>
  );
}

function NothingMoved() {
  const compose = useComposer();
  const { write } = usePermissions();
  return (
    <Empty icon="growth" title="Nenhum movimento neste mês">
      <p>Registre receitas e despesas para ver aqui para onde vai o seu dinheiro.</p>
      {write && (
        <button type="button" className="button button-primary" onClick={() => compose(null)}>
          <Icon name="plus" /> Nova transação
        </button>
      )}
    </Empty>
  );
}
