import { useState } from 'react';
import { explain } from '../../api/problem';
import { type Report, type ReportFormat, reports } from '../../api/reports';
import { useFollowed } from '../../app/follow';
import { useSubmissionKey } from '../../app/idempotency';
import { usePermissions } from '../../app/permissions';
import { addMonths, currentMonth, momentName, monthName } from '../../domain/calendar';
import { Icon } from '../../ui/Icon';
import { MonthSwitcher } from '../../ui/MonthSwitcher';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { useToast } from '../../ui/toasts';
import { openFile, saveFile } from './files';

const isSettled = (all: Report[]) => !all.some((it) => it.status === 'queued');

export function Reports() {
  const { write } = usePermissions();
  // Last month is the one that is complete.
  const [month, setMonth] = useState(() => addMonths(currentMonth(), -1));
  const [busy, setBusy] = useState(false);
  const list = useFollowed('reports', reports.list, isSettled);
  const submission = useSubmissionKey();
  const say = useToast();

  const order = async () => {
    setBusy(true);
    try {
      const report = await reports.add(month, submission.of({ month }));
      submission.done();
      list.put([report, ...(list.data ?? []).filter((it) => it.id !== report.id)]);
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    setBusy(false);
  };
  return (
    <>
      <h1>Relatórios</h1>
      {write && (
        <section className="card report-order" aria-label="Novo relatório">
          {/* A month that has not begun has no report. */}
          <MonthSwitcher month={month} onChange={(it) => setMonth(it > currentMonth() ? currentMonth() : it)} />
          <button type="button" className="button button-primary" disabled={busy} onClick={() => void order()}>
            <Icon name="report" size={18} /> Gerar relatório
          </button>
        </section>
      )}
      {list.data ? (
        <ReportList all={list.data} />
      ) : list.error ? null : (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={3} />
        </div>
      )}
      {list.error !== null && <Failure error={list.error} onRetry={list.again} />}
    </>
  );
}

function ReportList({ all }: { all: Report[] }) {
  if (all.length === 0) {
    return (
      <Empty icon="report" title="Nenhum relatório ainda">
        <p>Um relatório reúne o mês em um arquivo para guardar ou enviar: receitas, despesas, categorias e orçamentos.</p>
      </Empty>
    );
  }
  return (
    <ul className="card card-list rows" aria-label="Relatórios">
      {all.toSorted((a, b) => b.created_at.localeCompare(a.created_at)).map((it) => (
        <ReportRow key={it.id} it={it} />
      ))}
    </ul>
  );
}

function ReportRow({ it }: { it: Report }) {
  const [busy, setBusy] = useState(false);
  const say = useToast();
  const name = monthName(it.month);
  const get = async (format: ReportFormat, use: (file: Blob) => void) => {
    setBusy(true);
    try {
      use(await reports.file(it.id, format));
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    setBusy(false);
  };
  return (
    <li className="import-item">
      <div className="import-names">
        <h2 className="report-month">{name}</h2>
        <p>{momentName(it.ready_at ?? it.created_at)}</p>
      </div>
      <div className="report-files" role="status">
        {it.status === 'queued' && (
          <span className="chip chip-busy">
            <span className="spinner" aria-hidden="true" /> Em preparo
          </span>
        )}
        {it.status === 'failed' && <span className="chip chip-bad">Não foi possível gerar</span>}
        {it.status === 'ready' && (
          <>
            <button type="button" className="button button-small" disabled={busy} aria-label={`Abrir o relatório de ${name}`} onClick={() => void get('html', openFile)}>
              <Icon name="open" size={16} /> Abrir
            </button>
            <button
              type="button" className="button button-small" disabled={busy} aria-label={`Baixar o CSV de ${name}`}
              onClick={() => void get('csv', (file) => saveFile(file, `valoriza-${it.month}.csv`))}
            >
              <Icon name="download" size={16} /> CSV
            </button>
          </>
        )}
      </div>
    </li>
  );
}
