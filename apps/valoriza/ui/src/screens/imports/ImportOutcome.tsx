import type { Import } from '../../api/imports';
import { useCounts } from '../../app/counts';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { meaningOf } from './status';

/** What the server is doing, and how far it is if it knows. */
export function Working({ it }: { it: Import }) {
  const { label } = meaningOf(it.status);
  const isCounted = it.status !== 'parsing' && it.rows_included > 0;
  return (
    <div className="card working">
      <p>
        {label}…{' '}
        {isCounted && (
          <span className="muted">
            {it.rows_done.toLocaleString('pt-BR')} de {it.rows_included.toLocaleString('pt-BR')}
          </span>
        )}
      </p>
      <progress aria-label={label} {...(isCounted && { max: it.rows_included, value: it.rows_done })} />
      <p className="muted">Pode sair desta página: o trabalho continua.</p>
    </div>
  );
}

export function ImportOutcome({ it }: { it: Import }) {
  if (it.status === 'failed') return <Failed it={it} />;
  if (it.status === 'undone') {
    return (
      <div className="card outcome">
        <h3>Importação desfeita</h3>
        <p className="muted">As transações deste arquivo saíram das suas contas. Você pode enviá-lo de novo quando quiser.</p>
      </div>
    );
  }
  return <Done it={it} />;
}

function Done({ it }: { it: Import }) {
  const { review } = useCounts();
  return (
    <div className="card outcome">
      <span className="empty-icon">
        <Icon name="check" size={26} />
      </span>
      <h3>{madeText(it.rows_done)}</h3>
      <p className="muted">As categorias são escolhidas sozinhas; o que ficar em dúvida espera na revisão.</p>
      <div className="outcome-actions">
        <Link href="/revisao" className="button button-primary">
          Revisar{review > 0 && <span className="badge badge-plain">{review}</span>}
        </Link>
        <Link href="/transacoes" className="button">
          Ver transações
        </Link>
      </div>
    </div>
  );
}

function madeText(count: number): string {
  return count === 1 ? '1 transação importada' : `${count.toLocaleString('pt-BR')} transações importadas`;
}

function Failed({ it }: { it: Import }) {
  return (
    <div className="card outcome" role="alert">
      <h3>Não foi possível ler este arquivo</h3>
      <p>{it.error?.detail ?? 'O motivo não é conhecido.'}</p>
      {it.error?.line != null && <p className="muted">Linha {it.error.line.toLocaleString('pt-BR')} do arquivo.</p>}
      <p className="muted">Nada mudou nas suas contas.</p>
      <Link href="/importar" className="button">
        Enviar outro arquivo
      </Link>
    </div>
  );
}
