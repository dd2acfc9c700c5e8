import { useState } from 'react';
import { similar } from '../../api/categorisation';
import type { Transaction } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { useComposer } from '../../app/composer';
import { useResource } from '../../app/resource';
import { shortDate } from '../../domain/calendar';
import { confidenceText } from '../../domain/confidence';
import { formatMoney } from '../../domain/money';
import { Dot } from '../../ui/Bar';
import { Link } from '../../ui/Link';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { WhyChip } from '../../ui/WhyChip';

/** How the transaction came by its category, where it came from, and others like it. */
export function Why({ transaction, onLeave }: { transaction: Transaction; onLeave: () => void }) {
  const { categoryById } = useCatalogue();
  const [shown, setShown] = useState(false);
  const { categorised, suggestion, import_id } = transaction;
  const proposed = categoryById.get(suggestion?.category_id ?? '');
  return (
    <section className="why-section" aria-label="Categoria automática">
      {categorised && (
        <p>
          <WhyChip why={categorised} /> {categorised.source !== 'user' && <span className="confidence">{confidenceText(categorised.confidence)}</span>}
        </p>
      )}
      {!categorised && suggestion && proposed && (
        <p>
          Sugestão: <strong>{proposed.path}</strong> <span className="confidence">{confidenceText(suggestion.confidence)}</span> <WhyChip why={suggestion} />
        </p>
      )}
      {import_id && (
        <p>
          <Link href={`/importar?arquivo=${import_id}`} onClick={onLeave}>Veio de um extrato importado</Link>
        </p>
      )}
      <button type="button" className="button button-small" aria-expanded={shown} onClick={() => setShown(!shown)}>
        Parecidas com esta
      </button>
      {shown && <SimilarList id={transaction.id} />}
    </section>
  );
}

function SimilarList({ id }: { id: string }) {
  const { categoryById } = useCatalogue();
  const compose = useComposer();
  const { data, error, reload } = useResource(`similar ${id}`, (signal) => similar(id, signal));
  if (!data && error) return <Failure error={error} onRetry={reload} />;
  if (!data) {
    return (
      <>
        <LoadingNote />
        <Skeleton rows={3} />
      </>
    );
  }
  if (data.length === 0) return <p className="muted">Nenhuma parecida.</p>;
  return (
    <ul className="similar" aria-label="Parecidas com esta">
      {data.map(({ transaction, similarity }) => {
        const category = categoryById.get(transaction.category_id ?? '');
        return (
          <li key={transaction.id}>
            <button type="button" className="row-open" onClick={() => compose(transaction)}>
              <span className="row-description">{transaction.description}</span>
              <span className="row-account">
                {shortDate(transaction.date)} · {Math.round(similarity * 100)}% parecida
              </span>
            </button>
            <span className="similar-category">
              <Dot color={category?.color} /> {category?.name ?? 'Sem categoria'}
            </span>
            <span className={transaction.amount_cents > 0 ? 'amount amount-in' : 'amount'}>{formatMoney(transaction.amount_cents, transaction.currency)}</span>
          </li>
        );
      })}
    </ul>
  );
}
