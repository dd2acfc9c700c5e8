import { useEffect } from 'react';

/** The field `/` goes to; the transactions screen has it. */
export const SEARCH_ID = 'busca';

/** Keys that act on the whole page; never while something is typed or a dialog is open. */
export function useShortcuts(shortcuts: Record<string, () => void>): void {
  useKeys((key) => shortcuts[key] ?? null);
}

/** The same for keys that are not known by name: `actionOf` tells what a key does, also by what has the focus. */
export function useKeys(actionOf: (key: string, onControl: boolean) => (() => void) | null): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return;
      const onControl = event.target instanceof HTMLElement && event.target.matches('button, a[href], summary');
      const action = actionOf(event.key, onControl);
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  });
}

function isBusy(target: EventTarget | null): boolean {
  const typing = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
  return typing || document.querySelector('dialog[open]') !== null;
}
