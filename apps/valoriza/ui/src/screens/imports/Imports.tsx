import { useEffect, useState } from 'react';
import { type Import, imports } from '../../api/imports';
import { explain } from '../../api/problem';
import { useFollowed } from '../../app/follow';
import { usePermissions } from '../../app/permissions';
import { navigate, useQuery } from '../../app/router';
import { momentName } from '../../domain/calendar';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { useToast } from '../../ui/toasts';
import { DropZone } from './DropZone';
import { ImportDetail } from './ImportDetail';
import { StatusChip } from './StatusChip';
import { countText, isWorking, kindOf, totalsOf } from './status';
import { type Upload, useUploads } from './useUploads';

/** The list of imports, or the one the address names. */
export function Imports() {
  const [query] = useQuery();
  const id = query.get('arquivo');
  return id ? <ImportDetail key={id} id={id} /> : <AllImports />;
}

const isSettled = (page: { items: Import[] }) => !page.items.some((it) => isWorking(it.status));

function AllImports() {
  const { write } = usePermissions();
  const { uploads, send, dismiss } = useUploads();
  const list = useFollowed('imports', (signal) => imports.page(null, signal), isSettled);

  const onFiles = (files: File[]) =>
    void send(files, (sent) => {
      // One file is what most people have: they are led to it at once.
      const [only] = sent;
      if (files.length === 1 && only) navigate(`/importar?arquivo=${only.id}`);
      else list.again();
    });

  return (
    <>
      <h1>Importar</h1>
      {write && <DropZone onFiles={onFiles} />}
      <div role="status" className="visually-hidden">
        {uploads.length > 0 && 'Enviando arquivos'}
      </div>
      {uploads.length > 0 && (
        <ul className="card uploads" aria-label="Envios">
          {uploads.map((it) => (
            <UploadRow key={it.key} upload={it} onDismiss={() => dismiss(it.key)} />
          ))}
        </ul>
      )}
      {list.data ? (
        <PastImports first={list.data.items} cursor={list.data.next_cursor} />
      ) : list.error ? (
        <Failure error={list.error} onRetry={list.again} />
      ) : (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={4} />
        </div>
      )}
    </>
  );
}

function UploadRow({ upload, onDismiss }: { upload: Upload; onDismiss: () => void }) {
  const percent = Math.round(upload.share * 100);
  return (
    <li className="upload">
      <span className="upload-name">{upload.filename}</span>
      {upload.error ? (
        <>
          <span className="field-error" role="alert">
            {explain(upload.error)}
          </span>
          <button type="button" className="icon-button" aria-label={`Dispensar ${upload.filename}`} onClick={onDismiss}>
            <Icon name="close" size={18} />
          </button>
        </>
      ) : (
        <>
          <progress aria-label={`Envio de ${upload.filename}`} max={100} value={percent} />
          <span className="muted">{percent}%</span>
        </>
      )}
    </li>
  );
}

/** The newest are followed while the server works on them; older ones are read when asked for. */
function PastImports({ first, cursor }: { first: Import[]; cursor: string | null }) {
  const [older, setOlder] = useState<{ items: Import[]; cursor: string | null }>({ items: [], cursor });
  const say = useToast();
  useEffect(() => setOlder((it) => (it.items.length === 0 ? { items: [], cursor } : it)), [cursor]);
  const more = async () => {
    try {
      const page = await imports.page(older.cursor);
      setOlder((it) => ({ items: [...it.items, ...page.items], cursor: page.next_cursor }));
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
  };
  const known = new Set(first.map((it) => it.id));
  const all = [...first, ...older.items.filter((it) => !known.has(it.id))];
  if (all.length === 0) {
    return (
      <Empty icon="upload" title="Nenhum extrato importado">
        <p>Baixe o extrato no site ou no aplicativo do seu banco (OFX, de preferência) e envie aqui.</p>
      </Empty>
    );
  }
  return (
    <section className="card card-list" aria-labelledby="importados">
      <h2 id="importados" className="day">
        Arquivos
      </h2>
      <ul className="rows">
        {all.map((it) => (
          <ImportItem key={it.id} it={it} />
        ))}
      </ul>
      {older.cursor !== null && (
        <button type="button" className="button button-more" onClick={() => void more()}>
          Carregar mais
        </button>
      )}
    </section>
  );
}

function ImportItem({ it }: { it: Import }) {
  const details = [kindOf(it), countText(totalsOf(it.statements)), momentName(it.created_at)];
  return (
    <li className="import-item">
      <div className="import-names">
        <Link href={`/importar?arquivo=${it.id}`}>{it.filename}</Link>
        <p>{details.filter(Boolean).join(' · ')}</p>
      </div>
      <StatusChip status={it.status} />
    </li>
  );
}
