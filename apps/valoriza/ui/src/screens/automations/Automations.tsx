import { useEffect, useRef, useState } from 'react';
import { type Automation, automations } from '../../api/automations';
import { explain } from '../../api/problem';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { invalidate, useResource } from '../../app/resource';
import { Dot } from '../../ui/Bar';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Icon } from '../../ui/Icon';
import { Empty, Failure, LoadingNote, Skeleton } from '../../ui/states';
import { Tags } from '../../ui/Tags';
import { useToast } from '../../ui/toasts';
import { AutomationDialog } from './AutomationDialog';
import { conditionText, moved } from './draft';

export function Automations() {
  const { write } = usePermissions();
  const catalogue = useCatalogue();
  const list = useResource('automations', automations.list);
  const [editing, setEditing] = useState<{ automation: Automation | null } | null>(null);
  const error = list.data ? (catalogue.ready ? null : catalogue.error) : list.error;
  const retry = () => {
    list.reload();
    catalogue.reload();
  };
  return (
    <>
      <div className="screen-header">
        <h1>Automações</h1>
        {write && list.data && (
          <button type="button" className="button" onClick={() => setEditing({ automation: null })}>
            <Icon name="plus" size={18} /> Nova automação
          </button>
        )}
      </div>
      {error ? (
        <Failure error={error} onRetry={retry} />
      ) : !list.data || !catalogue.ready ? (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={4} />
        </div>
      ) : list.data.length === 0 ? (
        <Empty icon="bolt" title="Nenhuma automação">
          <p>Diga uma vez o que fazer com certas transações: dar uma categoria, marcar com etiquetas, avisar você.</p>
        </Empty>
      ) : (
        <AutomationList all={list.data} onEdit={(automation) => setEditing({ automation })} />
      )}
      {editing && <AutomationDialog automation={editing.automation} onClose={() => setEditing(null)} />}
    </>
  );
}

function AutomationList({ all, onEdit }: { all: Automation[]; onEdit: (it: Automation) => void }) {
  const busy = useRef(false);
  const [applying, setApplying] = useState<Automation | null>(null);
  const keepFocus = useFocusAfterMove(all);
  const say = useToast();

  const change = async (changes: { automation: Automation; position?: number; enabled?: boolean }[]) => {
    if (busy.current) return;
    busy.current = true;
    try {
      for (const { automation, ...values } of changes) {
        const { name, enabled, position, when, then } = automation;
        await automations.replace(automation, { name, enabled, position, when, then, ...values });
      }
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    invalidate();
    busy.current = false;
  };
  return (
    <>
      <p className="muted">A primeira que combina dá a categoria; etiquetas e avisos vêm de todas.</p>
      <ol className="card card-list automations" aria-label="Automações">
        {all.map((it, position) => (
          <AutomationRow
            key={it.id} it={it} first={position === 0} last={position === all.length - 1}
            onEnable={(enabled) => void change([{ automation: it, enabled }])}
            onMove={(by) => {
              keepFocus(it.id, by);
              void change(moved(all, it.id, by));
            }}
            onEdit={() => onEdit(it)} onApply={() => setApplying(it)}
          />
        ))}
      </ol>
      {applying && <ApplyDialog it={applying} onClose={() => setApplying(null)} />}
    </>
  );
}

const moveId = (id: string, by: 1 | -1) => `mover-${id}-${by}`;

/** A row that changes its place loses the focus; its button gets it back, or the other one at an end of the list. */
function useFocusAfterMove(all: Automation[]): (id: string, by: 1 | -1) => void {
  const wanted = useRef<{ id: string; by: 1 | -1 } | null>(null);
  useEffect(() => {
    if (!wanted.current) return;
    const { id, by } = wanted.current;
    wanted.current = null;
    const buttons = ([by, by === 1 ? -1 : 1] as const).map((it) => document.getElementById(moveId(id, it)));
    buttons.find((it) => it instanceof HTMLButtonElement && !it.disabled)?.focus();
  }, [all]);
  return (id, by) => {
    wanted.current = { id, by };
  };
}

type RowProps = {
  it: Automation;
  first: boolean;
  last: boolean;
  onEnable: (enabled: boolean) => void;
  onMove: (by: 1 | -1) => void;
  onEdit: () => void;
  onApply: () => void;
};

function AutomationRow({ it, first, last, onEnable, onMove, onEdit, onApply }: RowProps) {
  const { accountById, categoryById } = useCatalogue();
  const { write } = usePermissions();
  const category = categoryById.get(it.then.category_id ?? '');
  return (
    <li className={it.enabled ? 'automation' : 'automation automation-off'}>
      <label className="switch">
        <input type="checkbox" role="switch" aria-label={`Usar ${it.name}`} checked={it.enabled} disabled={!write} onChange={(event) => onEnable(event.target.checked)} />
      </label>
      <div className="automation-what">
        <h2>{it.name}</h2>
        <p>{conditionText(it.when, (id) => accountById.get(id)?.name ?? 'excluída')}</p>
        <p className="automation-then">
          {category && (
            <span className="review-category">
              <Dot color={category.color} /> {category.path}
            </span>
          )}
          <Tags tags={it.then.tags} />
          {it.then.notify && (
            <span className="tag">
              <Icon name="bell" size={14} /> avisa
            </span>
          )}
          <span className="muted">{it.matched === 1 ? '1 transação' : `${it.matched.toLocaleString('pt-BR')} transações`}</span>
        </p>
      </div>
      {write && (
        <div className="automation-actions">
          <button type="button" className="icon-button" id={moveId(it.id, -1)} aria-label={`Subir ${it.name}`} disabled={first} onClick={() => onMove(-1)}>
            <Icon name="up" size={18} />
          </button>
          <button type="button" className="icon-button" id={moveId(it.id, 1)} aria-label={`Descer ${it.name}`} disabled={last} onClick={() => onMove(1)}>
            <Icon name="downArrow" size={18} />
          </button>
          <button type="button" className="icon-button" aria-label={`Editar ${it.name}`} onClick={onEdit}>
            <Icon name="edit" size={18} />
          </button>
          <button type="button" className="button button-small" disabled={!it.enabled} aria-label={`Aplicar ao passado: ${it.name}`} onClick={onApply}>
            Aplicar ao passado
          </button>
        </div>
      )}
    </li>
  );
}

function ApplyDialog({ it, onClose }: { it: Automation; onClose: () => void }) {
  const say = useToast();
  const apply = async () => {
    await automations.apply(it);
    onClose();
    say('Aplicando às transações de antes; as mudanças aparecem em instantes.');
  };
  return (
    <ConfirmDialog title="Aplicar ao passado?" action="Aplicar" onConfirm={apply} onClose={onClose}>
      <p>
        <strong>{it.name}</strong> será aplicada às transações que você já tem. O que você categorizou à mão não muda.
      </p>
    </ConfirmDialog>
  );
}
