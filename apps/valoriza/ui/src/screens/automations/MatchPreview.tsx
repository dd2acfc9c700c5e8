import { useEffect, useState } from 'react';
import { type AutomationPreview, automations } from '../../api/automations';
import { explain } from '../../api/problem';
import { shortDate } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { checkCondition, type Draft } from './draft';

/** How long typing pauses before its effect is asked for. */
const TYPING_MS = 300;
const SHOWN = 5;

type State = { key: string; found: AutomationPreview | null; error: unknown };

/** Which of one's transactions the condition meets, while it is being written. */
export function MatchPreview({ draft }: { draft: Draft }) {
  const verdict = checkCondition(draft);
  const key = verdict.ok ? JSON.stringify(verdict.value) : '';
  const [state, setState] = useState<State>({ key: '', found: null, error: null });

  useEffect(() => {
    if (!verdict.ok) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      automations.preview(verdict.value, abort.signal).then(
        (found) => !abort.signal.aborted && setState({ key, found, error: null }),
        (error: unknown) => !abort.signal.aborted && setState({ key, found: null, error }),
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // The condition is determined by `key`.
  }, [key]);

  const { found, error } = state;
  if (!verdict.ok) return <p className="match-preview muted">As transações que combinam aparecem aqui.</p>;
  return (
    <div className={state.key === key ? 'match-preview' : 'match-preview stale'} aria-busy={state.key !== key}>
      <p role="status">
        {error !== null ? explain(error) : found === null ? 'Procurando…' : countText(found.count)}
      </p>
      {found && found.items.length > 0 && (
        <ul>
          {found.items.slice(0, SHOWN).map((it) => (
            <li key={it.id}>
              <span>{shortDate(it.date)}</span>
              <span className="match-description">{it.description}</span>
              <span className={it.amount_cents > 0 ? 'amount amount-in' : 'amount'}>{formatMoney(it.amount_cents, it.currency)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function countText(count: number): string {
  if (count === 0) return 'Nenhuma transação sua combina.';
  return count === 1 ? '1 transação sua combina.' : `${count.toLocaleString('pt-BR')} transações suas combinam.`;
}
