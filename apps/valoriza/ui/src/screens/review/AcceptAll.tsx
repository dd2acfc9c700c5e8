import { useId, useState } from 'react';
import { acceptable, type Queue } from './queue';

const THRESHOLDS = [95, 90, 80, 70, 60, 50];

/** Accepts in one go what is shown and sure enough. */
export function AcceptAll({ queue, onAccept }: { queue: Queue; onAccept: (ids: string[]) => Promise<void> }) {
  const [percent, setPercent] = useState(80);
  const id = useId();
  const ids = acceptable(queue, percent);
  return (
    <div className="accept-all" role="group" aria-label="Aceitar várias">
      <label htmlFor={id}>Confiança de pelo menos</label>
      <select id={id} value={percent} onChange={(event) => setPercent(Number(event.target.value))}>
        {THRESHOLDS.map((it) => (
          <option key={it} value={it}>
            {it}%
          </option>
        ))}
      </select>
      <button type="button" className="button" disabled={ids.length === 0} onClick={() => void onAccept(ids)}>
        Aceitar {ids.length === 1 ? '1 sugestão' : `${ids.length} sugestões`}
      </button>
    </div>
  );
}
