import { type ReactNode, useState } from 'react';
import { Dialog } from './Dialog';
import { FormError } from './FormError';

type Props = {
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => Promise<void>;
  onClose: () => void;
};

/** Asks before something is deleted; stays open with the reason when it could not be. */
export function ConfirmDialog({ title, children, action, onConfirm, onClose }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose} size="small">
      <div className="form">
        <div className="prose">{children}</div>
        <FormError error={error} />
        <footer className="form-actions">
          <button type="button" className="button" onClick={onClose} data-autofocus>
            Cancelar
          </button>
          <button type="button" className="button button-danger" disabled={busy} onClick={confirm}>
            {action}
          </button>
        </footer>
      </div>
    </Dialog>
  );
}
