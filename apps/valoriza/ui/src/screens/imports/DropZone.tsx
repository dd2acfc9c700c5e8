import { type DragEvent, useId, useState } from 'react';
import { Icon } from '../../ui/Icon';
import { useToast } from '../../ui/toasts';
import { FILES_MAX } from './useUploads';

/** Where files are dropped, or chosen by the button, which is all a keyboard needs. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  const say = useToast();
  const id = useId();
  const take = (list: FileList | null) => {
    const files = [...(list ?? [])];
    if (files.length > FILES_MAX) say(`Envie até ${FILES_MAX} arquivos de cada vez.`, { tone: 'error' });
    else if (files.length > 0) onFiles(files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <div
      className={over ? 'card drop drop-over' : 'card drop'} onDrop={onDrop}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
    >
      <span className="empty-icon">
        <Icon name="upload" size={26} />
      </span>
      <p className="drop-title">Arraste para cá o extrato do banco</p>
      <p id={`${id}-hint`} className="muted">
        OFX ou CSV, até 10 MB. Nada entra nas suas contas antes de você conferir; o que não for confirmado em 7 dias é esquecido.
      </p>
      <label className="button button-primary drop-button">
        <Icon name="plus" size={18} /> Escolher arquivos
        <input
          type="file" multiple className="visually-hidden" aria-describedby={`${id}-hint`}
          onChange={(event) => {
            take(event.target.files);
            // The same file may be chosen again.
            event.target.value = '';
          }}
        />
      </label>
    </div>
  );
}
