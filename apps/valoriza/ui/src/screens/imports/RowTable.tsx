import { useState } from 'react';
import type { Import, ImportRow, RowStatus } from '../../api/imports';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { shortDate } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { Dot } from '../../ui/Bar';
import { Segmented } from '../../ui/Segmented';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { WhyChip } from '../../ui/WhyChip';
import { totalsOf } from './status';
import { useRows } from './useRows';
import { type Change, useRefusals } from './useChanges';

const NAMES: Record<RowStatus, string> = { new: 'Nova', duplicate: 'Repetida', invalid: 'Com erro' };

type Shown = 'all' | RowStatus;

export function RowTable({ it, change }: { it: Import; change: Change }) {
  const [shown, setShown] = useState<Shown>('all');
  const { rows, error, hasMore, more, reload } = useRows(it, shown === 'all' ? null : shown);
  const totals = totalsOf(it.statements);
  const options: readonly (readonly [Shown, string])[] = [
    ['all', `Todas ${totals.rows}`],
    ['new', `Novas ${totals.new}`],
    ['duplicate', `Repetidas ${totals.duplicate}`],
    ['invalid', `Com erro ${totals.invalid}`],
  ];
  return (
    <section className="card card-list" aria-label="Transações do arquivo">
      <div className="table-filter">
        <Segmented legend="Mostrar" options={options} value={shown} onChange={setShown} />
      </div>
      {rows ? (
        rows.length === 0 ? <p className="table-none">Nenhuma linha aqui.</p> : <Rows it={it} rows={rows} change={change} />
      ) : error ? (
        <Failure error={error} onRetry={reload} />
      ) : (
        <>
          <LoadingNote />
          <Skeleton rows={5} />
        </>
      )}
      {hasMore && (
        <button type="button" className="button button-more" onClick={more}>
          Carregar mais
        </button>
      )}
    </section>
  );
}

function Rows({ it, rows, change }: { it: Import; rows: ImportRow[]; change: Change }) {
  const { write } = usePermissions();
  const refuse = useRefusals();
  const [busy, setBusy] = useState<ReadonlySet<number>>(new Set());
  const choosable = rows.filter((row) => row.status !== 'invalid');
  const chosen = choosable.filter((row) => row.include).length;

  // What is on its way is not disabled, which would take the focus from it, but cannot be chosen again.
  const choose = async (indexes: number[], include: boolean) => {
    if (indexes.some((index) => busy.has(index))) return;
    setBusy((all) => new Set([...all, ...indexes]));
    await change(include ? { include: indexes } : { exclude: indexes }).catch(refuse);
    setBusy((all) => new Set([...all].filter((index) => !indexes.includes(index))));
  };
  return (
    <table className="import-rows">
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox" aria-label="Incluir todas as linhas mostradas" disabled={!write || choosable.length === 0}
              checked={choosable.length > 0 && chosen === choosable.length}
              ref={(box) => {
                if (box) box.indeterminate = chosen > 0 && chosen < choosable.length;
              }}
              onChange={(event) => void choose(choosable.map((row) => row.index), event.target.checked)}
            />
          </th>
          <th scope="col">Data</th>
          <th scope="col">Descrição</th>
          <th scope="col">Situação</th>
          <th scope="col" className="amount">
            Valor
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row
            key={row.index} row={row} currency={it.statements.find((of) => of.index === row.statement)?.currency ?? 'BRL'}
            writable={write} busy={busy.has(row.index)} onChoose={(include) => void choose([row.index], include)}
          />
        ))}
      </tbody>
    </table>
  );
}

type RowProps = { row: ImportRow; currency: string; writable: boolean; busy: boolean; onChoose: (include: boolean) => void };

function Row({ row, currency, writable, busy, onChoose }: RowProps) {
  const { categoryById } = useCatalogue();
  const cents = row.amount_cents;
  const category = categoryById.get(row.suggestion?.category_id ?? '');
  return (
    <tr className={row.include ? undefined : 'row-left-out'}>
      <td className="row-include">
        <input
          type="checkbox" aria-label={`Incluir ${row.description || `linha ${row.index + 1}`}`} checked={row.include}
          disabled={!writable || row.status === 'invalid'} aria-busy={busy} onChange={(event) => onChoose(event.target.checked)}
        />
      </td>
      <td className="row-date">{row.date ? shortDate(row.date) : '—'}</td>
      <td className="row-text">
        <span className="row-description">{row.description || '—'}</span>
        {row.suggestion && category && (
          <span className="row-suggestion">
            <Dot color={category.color} /> {category.name} <WhyChip why={row.suggestion} brief />
          </span>
        )}
      </td>
      <td className="row-status">
        <span className={`chip chip-${row.status}`}>{NAMES[row.status]}</span>
        {row.reason && <span className="row-reason">{row.reason}</span>}
      </td>
      <td className={cents !== null && cents > 0 ? 'amount amount-in' : 'amount'}>
        {cents === null ? '—' : `${cents > 0 ? '+' : ''}${formatMoney(cents, currency)}`}
      </td>
    </tr>
  );
}
