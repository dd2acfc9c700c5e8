import { type FormEvent, useState } from 'react';
import * as finance from '../../api/finance';
import type { CategoryKind } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { type Errors, useSubmission } from '../../app/form';
import { useSubmissionKey } from '../../app/idempotency';
import { usePermissions } from '../../app/permissions';
import { invalidate } from '../../app/resource';
import { type CategoryNode, parentsFor } from '../../domain/categoryTree';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { Segmented } from '../../ui/Segmented';
import { useToast } from '../../ui/toasts';

type Props = { category: CategoryNode | null; parent: CategoryNode | null; onClose: () => void };

const FIELDS = ['name', 'parent_id', 'color', 'icon'];
const KINDS: readonly (readonly [CategoryKind, string])[] = [['expense', 'Despesa'], ['income', 'Receita']];
const NEW_COLOR = '#64748b';

export function CategoryDialog({ category, parent, onClose }: Props) {
  const { deleteAccounts: deletes } = usePermissions();
  const [name, setName] = useState(category?.name ?? '');
  const [kind, setKind] = useState<CategoryKind>(category?.kind ?? parent?.kind ?? 'expense');
  const [parentId, setParentId] = useState(category?.parent_id ?? parent?.id ?? '');
  const [color, setColor] = useState(category?.color ?? parent?.color ?? NEW_COLOR);
  const [icon, setIcon] = useState(category?.icon ?? '');
  const [deleting, setDeleting] = useState(false);
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.includes(field));
  const submission = useSubmissionKey();
  const say = useToast();

  const finish = (text: string) => {
    submission.done();
    invalidate();
    onClose();
    say(text);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const found: Errors = name.trim() === '' ? { name: 'Informe o nome.' } : {};
    const body = { name: name.trim(), kind, parent_id: parentId || null, color, icon: icon.trim() || null };
    void submit(found, async () => {
      if (category) await finance.categories.change(category, body);
      else await finance.categories.add(body, submission.of(body));
      finish(category ? 'Categoria salva.' : 'Categoria criada.');
    });
  };
  const remove = async () => {
    if (!category) return;
    await finance.categories.remove(category);
    finish('Categoria excluída.');
  };

  if (category && deleting) {
    return (
      <ConfirmDialog title="Excluir categoria?" action="Excluir" onConfirm={remove} onClose={() => setDeleting(false)}>
        <p>
          <strong>{category.path}</strong> será excluída. Uma categoria em uso não pode ser excluída.
        </p>
      </ConfirmDialog>
    );
  }
  return (
    <Dialog title={category ? 'Editar categoria' : 'Nova categoria'} onClose={onClose} size="small">
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        {!category && (
          <Segmented
            legend="Tipo" options={KINDS} value={kind}
            onChange={(it) => {
              setKind(it);
              // What is above must be of the same kind.
              setParentId('');
            }}
          />
        )}
        <Field label="Nome" error={errors.name}>
          {(control) => <input {...control} type="text" maxLength={80} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <ParentField category={category} kind={kind} value={parentId} error={errors.parent_id} onChange={setParentId} />
        <div className="form-pair">
          <Field label="Cor" error={errors.color}>
            {(control) => <input {...control} type="color" value={color} onChange={(event) => setColor(event.target.value)} />}
          </Field>
          <Field label="Emoji (opcional)" error={errors.icon}>
            {(control) => <input {...control} type="text" maxLength={20} autoComplete="off" value={icon} onChange={(event) => setIcon(event.target.value)} />}
          </Field>
        </div>
        <FormError
          error={failure}
          onReload={() => {
            invalidate();
            onClose();
          }}
        />
        <footer className="form-actions">
          {category && deletes && (
            <button type="button" className="button button-quiet button-start" onClick={() => setDeleting(true)}>
              Excluir
            </button>
          )}
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Salvando…' : 'Salvar'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

type ParentProps = { category: CategoryNode | null; kind: CategoryKind; value: string; error: string | undefined; onChange: (id: string) => void };

function ParentField({ category, kind, value, error, onChange }: ParentProps) {
  const { categories } = useCatalogue();
  return (
    <Field label="Dentro de" error={error}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">Nenhuma: no primeiro nível</option>
          {parentsFor(categories, category, kind).map((it) => (
            <option key={it.id} value={it.id}>
              {it.path}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
