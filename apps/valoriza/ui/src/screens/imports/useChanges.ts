import { useEffect, useRef } from 'react';
import { type Import, type ImportChange, imports } from '../../api/imports';
import { explain } from '../../api/problem';
import { useToast } from '../../ui/toasts';

export type Change = (body: ImportChange) => Promise<Import>;

export type Changes = {
  send: Change;
  /** Ends when nothing is on its way any more; fails if what was on its way did. */
  settled: () => Promise<unknown>;
};

/**
 * Changes are made one after the other, each on the version the one before it left. Another account makes the
 * server read the file again and forget which rows were chosen; they are chosen again when it has.
 */
export function useChanges(it: Import, put: (changed: Import) => void): Changes {
  const latest = useRef(it);
  latest.current = it.version >= latest.current.version ? it : latest.current;
  const underWay = useRef<Promise<unknown> | null>(null);
  const chosen = useRef(new Map<number, boolean>());
  const refuse = useRefusals();

  const send: Change = (body) => {
    // Under another mapping the rows are others.
    if (body.mapping) chosen.current.clear();
    for (const index of body.include ?? []) chosen.current.set(index, true);
    for (const index of body.exclude ?? []) chosen.current.set(index, false);
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

  const previous = useRef(it.status);
  useEffect(() => {
    const wasRead = previous.current === 'parsing' && it.status === 'preview';
    previous.current = it.status;
    if (!wasRead || chosen.current.size === 0) return;
    const indexes = (include: boolean) => [...chosen.current].flatMap(([index, how]) => (how === include ? [index] : []));
    void send({ include: indexes(true), exclude: indexes(false) }).catch(refuse);
    // Once for each reading.
  }, [it.status]);

  return { send, settled: async () => underWay.current };
}

/** Says why a change was refused; the page shows what is there. */
export function useRefusals(): (error: unknown) => void {
  const say = useToast();
  return (error) => say(explain(error), { tone: 'error' });
}
