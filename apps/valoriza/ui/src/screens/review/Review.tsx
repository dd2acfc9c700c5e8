/** The inbox of what was not sure enough: accepted or corrected one after the other, mostly by keyboard. */

import { useEffect, useRef, useState } from 'react';
import type { ReviewItem as Item } from '../../api/categorisation';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { useKeys } from '../../app/shortcuts';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { AcceptAll } from './AcceptAll';
import { commandOf } from './keys';
import { currentOf, focusOn, type Queue, skip, step } from './queue';
import { ReviewItem } from './ReviewItem';
import { type Review as ReviewState, useReview } from './useReview';

export function Review() {
  const review = useReview();
  const catalogue = useCatalogue();
  const { queue, error, reload } = review;
  return (
    <>
      <div className="screen-header">
        <h1>Revisão</h1>
      </div>
      {queue && catalogue.ready ? (
        queue.items.length === 0 && error === null ? <AllDone /> : <Inbox queue={queue} review={review} />
      ) : error ? (
        <Failure error={error} onRetry={reload} />
      ) : (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={6} />
        </div>
      )}
      {queue && error !== null && <Failure error={error} onRetry={reload} />}
    </>
  );
}

function AllDone() {
  return (
    <Empty icon="check" title="Tudo revisado">
      <p>Quando o valoriza não tiver certeza de uma categoria, a transação espera aqui por você.</p>
      <Link href="/importar" className="button">
        Importar um extrato
      </Link>
    </Empty>
  );
}

type Picking = { id: string; text: string } | null;

function Inbox({ queue, review }: { queue: Queue; review: ReviewState }) {
  const { write } = usePermissions();
  const [similar, setSimilar] = useState(false);
  const [picking, setPicking] = useState<Picking>(null);
  const list = useRef<HTMLUListElement>(null);
  const { change, answer } = review;
  const current = currentOf(queue);
  useFocusOnCurrent(list, queue.current, picking !== null);

  const accept = (item: Item) => item.suggestion && void answer(item, item.suggestion.category_id, similar);
  useKeys((key, onControl) => {
    const command = commandOf(key, onControl);
    if (!command || (!write && command.do !== 'next' && command.do !== 'previous')) return null;
    if (command.do === 'undo') return review.undoLast;
    if (!current) return null;
    switch (command.do) {
      case 'accept':
        // Without a suggestion there is nothing to accept, but something to choose.
        return () => (current.suggestion ? accept(current) : setPicking({ id: current.transaction.id, text: '' }));
      case 'correct':
        return () => setPicking({ id: current.transaction.id, text: command.text });
      case 'next':
        return () => change((it) => step(it, 1));
      case 'previous':
        return () => change((it) => step(it, -1));
      case 'skip':
        return () => change(skip);
      case 'similar':
        return () => setSimilar((it) => !it);
      case 'alternative': {
        const other = current.alternatives[command.position];
        return other ? () => void answer(current, other.category_id, similar) : null;
      }
    }
  });

  return (
    <>
      {write && (
        <div className="review-tools">
          <AcceptAll queue={queue} onAccept={review.acceptAll} />
          <button type="button" className="button toggle" aria-pressed={similar} aria-keyshortcuts="p" onClick={() => setSimilar(!similar)}>
            <Icon name={similar ? 'check' : 'split'} size={18} /> Aplicar aos parecidos <kbd aria-hidden="true">P</kbd>
          </button>
        </div>
      )}
      <ul ref={list} className="card card-list review-list" aria-label="Transações a revisar">
        {queue.items.map((item) => {
          const { id } = item.transaction;
          return (
            <ReviewItem
              key={id} item={item} current={id === queue.current} sending={queue.sending.has(id)} writable={write}
              picking={picking?.id === id ? picking.text : null}
              onFocus={() => change((it) => focusOn(it, id))}
              onAccept={() => accept(item)} onChoose={(categoryId) => void answer(item, categoryId, similar)}
              onSkip={() => change((it) => skip({ ...it, current: id }))}
              onCorrect={() => setPicking({ id, text: '' })} onLeave={() => setPicking(null)}
            />
          );
        })}
      </ul>
      {write && (
        <p className="review-keys" aria-hidden="true">
          <kbd>A</kbd> aceitar <kbd>C</kbd> corrigir <kbd>J</kbd> <kbd>K</kbd> percorrer <kbd>S</kbd> deixar para depois <kbd>Z</kbd> desfazer
        </p>
      )}
    </>
  );
}

/** Moves the focus with the current item, unless the person is busy elsewhere on the page. */
function useFocusOnCurrent(list: React.RefObject<HTMLUListElement | null>, current: string | null, picking: boolean): void {
  useEffect(() => {
    if (picking || current === null) return;
    const item = list.current?.querySelector<HTMLElement>('[aria-current="true"]');
    const focused = document.activeElement;
    const isFree = focused === null || focused === document.body || focused.id === 'conteudo' || list.current?.contains(focused);
    if (!item || !isFree || item.contains(focused)) return;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: 'nearest' });
  }, [list, current, picking]);
}
