import { useEffect } from 'react';

/** The field `/` goes to; the transactions screen has it. */
export const SEARCH_ID = 'busca';

/** Keys that act on the whole page; never while something is typed or a dialog is open. */
export function useShortcuts(shortcuts: Record<string, () => void>): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const shortcut = shortcuts[event.key];
      if (!shortcut || event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return;
      event.preventDefault();
      shortcut();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  });
}

function isBusy(target: EventTarget | null): boolean {
  const typing = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
  return typing || document.querySelector('dialog[open]') !== null;
}
