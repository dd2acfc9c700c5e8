import type { Correction } from '../../api/categorisation';

/** What a correction did and taught, in a sentence or two. */
export function learnedText({ transaction, learned }: Correction, category: string): string {
  const done = `${transaction.description}: ${category}.`;
  if (!learned) return done;
  const more = learned.affected > 0 ? ` ${others(learned.affected)}.` : '';
  const reason = /[.!?]$/.test(learned.reason) ? learned.reason : `${learned.reason}.`;
  return `${done} ${reason}${more}`;
}

function others(count: number): string {
  return count === 1 ? 'Mais 1 transação mudou' : `Mais ${count.toLocaleString('pt-BR')} transações mudaram`;
}
