import { useRef } from 'react';
import { type Import, type ImportChange, imports } from '../../api/imports';
import { explain } from '../../api/problem';
import { useToast } from '../../ui/toasts';

export type Change = (body: ImportChange) => Promise<Import>;

export type Changes = {
  send: Change;
  /** Ends when nothing is on its way any more; fails if what was on its way did. */
  settled: () => Promise<unknown>;
};

/** Changes are made one after the other, each on the version the one before it left. */
export function useChanges(it: Import, put: (changed: Import) => void): Changes {
  const latest = useRef(it);
  latest.current = it.version >= latest.current.version ? it : latest.current;
  const underWay = useRef<Promise<unknown> | null>(null);

  const send: Change = (body) => {
    const before = underWay.current;
    const made = (async () => {
      // One that failed has been reported; it holds up no other.
      await before?.catch(() => undefined);
      const changed = await imports.change(latest.current, body);
      latest.current = changed;
      put(changed);
      return changed;
    })();
    underWay.current = made;
    const end = () => {
      if (underWay.current === made) underWay.current = null;
    };
    made.then(end, end);
    return made;
  };

  return { send, settled: async () => underWay.current };
}

/** Says why a change was refused; the page shows what is there. */
export function useRefusals(): (error: unknown) => void {
  const say = useToast();
  return (error) => say(explain(error), { tone: 'error' });
}
