/** Short messages at the foot of the page, said aloud, some with an action such as undoing. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import { Icon } from './Icon';

type Toast = { id: number; text: string; tone: 'plain' | 'error'; action?: { label: string; run: () => void } };
type Say = (text: string, options?: { tone?: Toast['tone']; action?: Toast['action'] }) => void;

/** Long enough to read and to reach the action by keyboard. */
const SHOWN_MS = 8_000;
/** More would cover the page; the oldest leaves. */
const TOASTS_MAX = 3;

const Context = createContext<Say | null>(null);
let lastId = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const dismiss = useCallback((id: number) => setToasts((all) => all.filter((it) => it.id !== id)), []);
  const say = useCallback<Say>((text, { tone = 'plain', action } = {}) => {
    lastId += 1;
    const toast: Toast = { id: lastId, text, tone, ...(action && { action }) };
    setToasts((all) => [...all, toast].slice(-TOASTS_MAX));
  }, []);
  return (
    <Context value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <ToastItem key={toast.id} toast={toast} onDismiss={dismiss} />
        ))}
      </div>
    </Context>
  );
}

function ToastItem({ toast, onDismiss }: { toast: Toast; onDismiss: (id: number) => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => onDismiss(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, toast.id, onDismiss]);
  const { action } = toast;
  return (
    <div
      className={`toast toast-${toast.tone}`} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}
      onMouseEnter={() => setHeld(true)} onMouseLeave={() => setHeld(false)}
    >
      <span>{toast.text}</span>
      {action && (
        <button
          type="button" className="toast-action"
          onClick={() => {
            onDismiss(toast.id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" className="icon-button" aria-label="Dispensar" onClick={() => onDismiss(toast.id)}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

export function useToast(): Say {
  const say = useContext(Context);
  if (!say) throw new Error('useToast is used outside of ToastProvider');
  return say;
}
