import { useMemo } from 'react';
import type { Transaction } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { useComposer } from '../../app/composer';
import { usePermissions } from '../../app/permissions';
import { useQuery } from '../../app/router';
import { dayName } from '../../domain/calendar';
import { Icon } from '../../ui/Icon';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { Filters } from './Filters';
import { readFilter } from './filter';
import { TransactionRow } from './TransactionRow';
import { type TransactionList, useTransactionList } from './useTransactionList';

export function Transactions() {
  const [query, change] = useQuery();
  const filter = useMemo(() => readFilter(query), [query]);
  const list = useTransactionList(filter);
  const catalogue = useCatalogue();
  const failure = list.items === null ? list.error : catalogue.ready ? null : catalogue.error;
  const retry = () => {
    list.reload();
    catalogue.reload();
  };

  return (
    <>
      <h1>Transações</h1>
      <Filters filter={filter} change={change} />
      {failure ? (
        <Failure error={failure} onRetry={retry} />
      ) : list.items === null || !catalogue.ready ? (
        <div className="card card-list">
          <LoadingNote />
          <Skeleton rows={8} />
        </div>
      ) : list.items.length === 0 && !list.stale ? (
        <Nothing filtered={Object.keys(filter).length > 0} />
      ) : (
        <Days items={list.items} list={list} />
      )}
    </>
  );
}

function Days({ items, list }: { items: Transaction[]; list: TransactionList }) {
  const days = useMemo(() => [...Map.groupBy(items, (it) => it.date)], [items]);
  return (
    <>
      <p className="visually-hidden" role="status">
        {items.length === 1 ? '1 transação na lista' : `${items.length} transações na lista`}
      </p>
      <div className={list.stale ? 'card card-list stale' : 'card card-list'} aria-busy={list.stale}>
        {days.map(([date, transactions]) => (
          <section key={date} aria-label={dayName(date)}>
            <h2 className="day">{dayName(date)}</h2>
            <ul className="rows">
              {transactions.map((it) => (
                <TransactionRow key={it.id} transaction={it} onChanged={list.replace} onStale={list.reload} />
              ))}
            </ul>
          </section>
        ))}
      </div>
      {list.error !== null && <Failure error={list.error} onRetry={list.loadMore} />}
      {list.hasMore && (
        <button type="button" className="button button-more" disabled={list.loadingMore} onClick={list.loadMore}>
          {list.loadingMore ? 'Carregando…' : 'Carregar mais'}
        </button>
      )}
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const compose = useComposer();
  const { write } = usePermissions();
  if (filtered) {
    return (
      <Empty icon="search" title="Nenhuma transação encontrada">
        <p>Tente outro texto, outro período ou limpe os filtros.</p>
      </Empty>
    );
  }
  return (
    <Empty icon="list" title="Nenhuma transação ainda">
      <p>Comece registrando uma receita ou uma despesa.</p>
      {write && (
        <button type="button" className="button button-primary" onClick={() => compose(null)}>
          <Icon name="plus" /> Nova transação
        </button>
      )}
    </Empty>
  );
}
