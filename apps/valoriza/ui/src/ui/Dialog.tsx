import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Icon } from './Icon';

type Props = { title: string; onClose: () => void; children: ReactNode; size?: 'small' | 'medium' };

/**
 * A modal dialog: the browser's own, which traps the focus, closes on Escape and gives the focus back. It
 * starts at `data-autofocus` or at the first field.
 */
export function Dialog({ title, onClose, children, size = 'medium' }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // A layout effect: its clean-up closes the dialog while it is still in the page, which gives the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) {
      dialog.showModal();
      const start = dialog.querySelector('[data-autofocus]') ?? dialog.querySelector('form :is(input, select, textarea)');
      if (start instanceof HTMLElement) start.focus();
    }
    return () => dialog?.close();
  }, []);

  return (
    <dialog
      ref={ref} className={`dialog dialog-${size}`} aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // The backdrop is the dialog itself; its content covers all but that.
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
    >
      <div className="dialog-content">
        <header className="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Fechar" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
