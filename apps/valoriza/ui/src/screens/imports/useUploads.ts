import { useCallback, useState } from 'react';
import { type Import, imports } from '../../api/imports';

/** What the server accepts; told before a person waits for it to be sent. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
/** One upload at a time keeps a phone's line usable; more files than this are a mistake of the mouse. */
export const FILES_MAX = 20;

export type Upload = { key: number; filename: string; share: number; error: unknown };

export type Uploads = {
  uploads: Upload[];
  /** Sends the files one after the other; `onSent` hears of each that arrived. */
  send: (files: readonly File[], onSent: (sent: Import[]) => void) => Promise<void>;
  dismiss: (key: number) => void;
};

let lastKey = 0;

export function useUploads(): Uploads {
  const [uploads, setUploads] = useState<Upload[]>([]);
  const change = useCallback((key: number, values: Partial<Upload>) => {
    setUploads((all) => all.map((it) => (it.key === key ? { ...it, ...values } : it)));
  }, []);
  const dismiss = useCallback((key: number) => setUploads((all) => all.filter((it) => it.key !== key)), []);

  const send = useCallback<Uploads['send']>(async (files, onSent) => {
    const waiting = files.slice(0, FILES_MAX).map((file) => ({ file, key: (lastKey += 1) }));
    setUploads((all) => [...all, ...waiting.map(({ file, key }) => ({ key, filename: file.name, share: 0, error: refusalOf(file) }))]);
    const sent: Import[] = [];
    for (const { file, key } of waiting) {
      if (refusalOf(file)) continue;
      try {
        sent.push(await imports.send(file, (share) => change(key, { share })));
        dismiss(key);
        onSent(sent);
      } catch (error) {
        change(key, { error });
      }
    }
  }, [change, dismiss]);

  return { uploads, send, dismiss };
}

function refusalOf(file: File): Error | null {
  if (file.size === 0) return new Error('O arquivo está vazio.');
  if (file.size > FILE_BYTES_MAX) return new Error('O arquivo é maior que 10 MB.');
  return null;
}
