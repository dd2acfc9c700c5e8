import { useCallback, useEffect, useRef, useState } from 'react';
import { ACCEPT_MAX, type Accepted, corrections, type Correction, review, type ReviewItem } from '../../api/categorisation';
import { explain } from '../../api/problem';
import { useCatalogue } from '../../app/catalogue';
import { useCounts } from '../../app/counts';
import { useRevision } from '../../app/resource';
import { useToast } from '../../ui/toasts';
import { learnedText } from './learned';
import { append, EMPTY, type Queue, refresh, refused, sent, settled } from './queue';

/** With fewer left another page is read, so that one never waits at the end of a long list. */
const LEFT_MIN = 10;

export type Review = {
  queue: Queue | null;
  error: unknown;
  change: (step: (queue: Queue) => Queue) => void;
  reload: () => void;
  answer: (item: ReviewItem, categoryId: string, similar: boolean) => Promise<void>;
  acceptAll: (ids: string[]) => Promise<void>;
  /** Takes the last answer back, once. */
  undoLast: () => void;
};

export function useReview(): Review {
  const revision = useRevision();
  const { refresh: recount } = useCounts();
  const { categoryById } = useCatalogue();
  const say = useToast();
  const [state, setState] = useState<{ queue: Queue | null; cursor: string | null; error: unknown }>({ queue: null, cursor: null, error: null });
  const readingMore = useRef(false);
  const change = useCallback((step: (queue: Queue) => Queue) => {
    setState((it) => (it.queue ? { ...it, queue: step(it.queue) } : it));
  }, []);

  // An answer given while the list was being read is newer than the list.
  const readings = useRef(0);
  const doneDuring = useRef(new Map<string, number>());
  const done = (ids: string[]) => {
    for (const id of ids) doneDuring.current.set(id, readings.current);
    change((it) => settled(it, ids));
  };

  const read = useCallback(async (current?: string) => {
    const reading = (readings.current += 1);
    try {
      const page = await review.page(null);
      const items = page.items.filter((it) => (doneDuring.current.get(it.transaction.id) ?? 0) < reading);
      setState((it) => ({ queue: refresh(it.queue ?? EMPTY, items, current ?? it.queue?.current ?? null), cursor: page.next_cursor, error: null }));
    } catch (error) {
      setState((it) => ({ ...it, error }));
    }
  }, []);
  useEffect(() => void read(), [read, revision]);

  const { queue, cursor } = state;
  useEffect(() => {
    if (!queue || cursor === null || queue.items.length >= LEFT_MIN || readingMore.current) return;
    readingMore.current = true;
    review.page(cursor).then(
      (page) => setState((it) => (it.cursor === cursor && it.queue ? { ...it, queue: append(it.queue, page.items), cursor: page.next_cursor } : it)),
      (error: unknown) => setState((it) => ({ ...it, cursor: null, error })),
    ).finally(() => (readingMore.current = false));
  }, [queue, cursor]);

  const last = useRef<Correction | null>(null);
  const undo = async (correction: Correction) => {
    const { correction_id, transaction } = correction;
    if (last.current === correction) last.current = null;
    try {
      await corrections.undo(correction_id);
      say('Desfeito: a transação voltou para a revisão.');
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    await read(transaction.id);
    recount();
  };

  const answer: Review['answer'] = async ({ transaction: { id } }, categoryId, similar) => {
    change((it) => sent(it, [id]));
    try {
      const correction = await corrections.add(id, { category_id: categoryId, similar });
      last.current = correction;
      done([id]);
      say(learnedText(correction, categoryById.get(categoryId)?.name ?? ''), { action: { label: 'Desfazer', run: () => void undo(correction) } });
      if (correction.learned && correction.learned.affected > 0) await read();
      recount();
    } catch (error) {
      change((it) => refused(it, [id]));
      say(explain(error), { tone: 'error' });
    }
  };

  const undoAll = async (accepted: Accepted[]) => {
    try {
      for (const { correction_id } of accepted) await corrections.undo(correction_id);
      say('Desfeito: as transações voltaram para a revisão.');
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    await read();
    recount();
  };

  const acceptAll: Review['acceptAll'] = async (all) => {
    const ids = all.slice(0, ACCEPT_MAX);
    change((it) => sent(it, ids));
    try {
      const { accepted } = await review.accept(ids);
      done(accepted.map((it) => it.transaction_id));
      say(accepted.length === 1 ? '1 sugestão aceita.' : `${accepted.length} sugestões aceitas.`, {
        action: { label: 'Desfazer', run: () => void undoAll(accepted) },
      });
    } catch (error) {
      change((it) => refused(it, ids));
      say(explain(error), { tone: 'error' });
    }
    // Those that had no suggestion any more are shown as they are now.
    change((it) => ({ ...it, sending: new Set([...it.sending].filter((id) => !ids.includes(id))) }));
    await read();
    recount();
  };

  const undoLast = () => {
    if (last.current) void undo(last.current);
  };
  return { queue, error: state.error, change, reload: () => void read(), answer, acceptAll, undoLast };
}
