/** One file, from being read to being taken back: what is shown follows its status. */

import { useEffect, useRef, useState } from 'react';
import { type Import, imports } from '../../api/imports';
import { useFollowed } from '../../app/follow';
import { usePermissions } from '../../app/permissions';
import { invalidate } from '../../app/resource';
import { useQuery } from '../../app/router';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { useToast } from '../../ui/toasts';
import { ColumnMapper } from './ColumnMapper';
import { ImportOutcome, Working } from './ImportOutcome';
import { Preview } from './Preview';
import { StatusChip } from './StatusChip';
import { isDiscardable, isWorking, kindOf, meaningOf } from './status';
import { type Change, type Changes, useChanges } from './useChanges';

const isSettled = (it: Import) => !isWorking(it.status);

export function ImportDetail({ id }: { id: string }) {
  const { data, error, again, put } = useFollowed(`import ${id}`, (signal) => imports.one(id, signal), isSettled);
  useAccountsChange(data);
  return (
    <>
      <div className="screen-header">
        <h1>Importar</h1>
        <Link href="/importar" className="button">
          <Icon name="left" size={18} /> Todos os arquivos
        </Link>
      </div>
      {data ? (
        <OneImport it={data} put={put} />
      ) : error ? (
        <Failure error={error} onRetry={again} />
      ) : (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={6} />
        </div>
      )}
      {data && error !== null && <Failure error={error} onRetry={again} />}
    </>
  );
}

/** When the server has put transactions in or taken them out, everything else on screen is old. */
function useAccountsChange(it: Import | null): void {
  const previous = useRef(it?.status);
  const status = it?.status;
  useEffect(() => {
    const was = previous.current;
    previous.current = status;
    if ((was === 'committing' && status === 'done') || (was === 'undoing' && status === 'undone')) invalidate();
  }, [status]);
}

type Props = { it: Import; put: (changed: Import) => void };

function OneImport({ it, put }: Props) {
  const { write } = usePermissions();
  const [asking, setAsking] = useState<'undo' | 'discard' | null>(null);
  const { send, settled } = useChanges(it, put);
  const [remapping, setRemapping] = useState(false);
  const kind = kindOf(it);
  // Another account makes the server read the file again; then the person goes on where they chose it.
  const chosen = useRef<number | null>(null);
  const change: Change = async (body) => {
    chosen.current = body.statements?.[0]?.index ?? null;
    const changed = await send(body);
    setRemapping(false);
    return changed;
  };
  return (
    <>
      <section className="card import-head" aria-labelledby="arquivo">
        <div className="import-names">
          <h2 id="arquivo">{it.filename}</h2>
          {kind && <p>{kind}</p>}
        </div>
        <StatusChip status={it.status} />
        {write && isDiscardable(it.status) && (
          <button type="button" className="button button-small" onClick={() => setAsking('discard')}>
            Descartar
          </button>
        )}
        {write && it.status === 'preview' && it.profile === 'mapped' && (
          <button type="button" className="button button-small" aria-pressed={remapping} onClick={() => setRemapping(!remapping)}>
            Mudar colunas
          </button>
        )}
        {write && it.status === 'done' && (
          <button type="button" className="button button-small" onClick={() => setAsking('undo')}>
            Desfazer importação
          </button>
        )}
      </section>
      <p role="status" className="visually-hidden">
        {meaningOf(it.status).label}
      </p>
      {it.warnings.map((text) => (
        <p key={text} className="alert alert-warn">
          {text}
        </p>
      ))}
      {remapping ? <ColumnMapper it={it} change={change} /> : <Step it={it} put={put} change={change} settled={settled} chosen={chosen.current} />}
      {asking && <Question which={asking} it={it} put={put} onClose={() => setAsking(null)} />}
    </>
  );
}

type StepProps = Props & Pick<Changes, 'settled'> & { change: Change; chosen: number | null };

function Step({ it, put, change, settled, chosen }: StepProps) {
  switch (it.status) {
    case 'parsing':
    case 'committing':
    case 'undoing':
      return <Working it={it} />;
    case 'needs_mapping':
      return <ColumnMapper it={it} change={change} />;
    case 'preview':
      return <Preview it={it} put={put} change={change} settled={settled} chosen={chosen} />;
    case 'done':
    case 'failed':
    case 'undone':
      return <ImportOutcome it={it} />;
  }
}

function Question({ which, it, put, onClose }: Props & { which: 'undo' | 'discard'; onClose: () => void }) {
  const [, change] = useQuery();
  const say = useToast();
  const undo = async () => {
    put(await imports.undo(it.id));
    onClose();
  };
  const discard = async () => {
    await imports.remove(it);
    onClose();
    change({ arquivo: null });
    say('Arquivo descartado.');
  };
  return which === 'undo' ? (
    <ConfirmDialog title="Desfazer importação?" action="Desfazer importação" onConfirm={undo} onClose={onClose}>
      <p>
        As transações que vieram de <strong>{it.filename}</strong> sairão das suas contas. As que você alterou depois ficam.
      </p>
    </ConfirmDialog>
  ) : (
    <ConfirmDialog title="Descartar arquivo?" action="Descartar" onConfirm={discard} onClose={onClose}>
      <p>
        <strong>{it.filename}</strong> será esquecido. Suas contas não mudam.
      </p>
    </ConfirmDialog>
  );
}
