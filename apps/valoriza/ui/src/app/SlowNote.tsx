import { useSyncExternalStore } from 'react';
import * as activity from '../api/activity';

/** Says that the service is starting when an answer takes long. */
export function SlowNote() {
  const slow = useSyncExternalStore(activity.subscribe, activity.isSlow);
  return (
    <div className="slow-note" role="status" aria-live="polite">
      {slow && (
        <p>
          <span className="spinner" aria-hidden="true" /> Acordando o serviço…
        </p>
      )}
    </div>
  );
}
