import { useState } from 'react';
import type { CategoryKind } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { usePermissions } from '../../app/permissions';
import { type CategoryNode, DEPTH_MAX } from '../../domain/categoryTree';
import { Dot } from '../../ui/Bar';
import { Icon } from '../../ui/Icon';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { CategoryDialog } from './CategoryDialog';

const KINDS: readonly (readonly [CategoryKind, string])[] = [['expense', 'Despesas'], ['income', 'Receitas']];

type Editing = { category: CategoryNode | null; parent: CategoryNode | null } | null;

export function Categories() {
  const { ready, error, reload, categories } = useCatalogue();
  const { write } = usePermissions();
  const [editing, setEditing] = useState<Editing>(null);
  return (
    <>
      <div className="screen-header">
        <h1>Categorias</h1>
        {write && ready && (
          <button type="button" className="button" onClick={() => setEditing({ category: null, parent: null })}>
            <Icon name="plus" size={18} /> Nova categoria
          </button>
        )}
      </div>
      {!ready && error ? (
        <Failure error={error} onRetry={reload} />
      ) : !ready ? (
        <div className="card">
          <LoadingNote />
          <Skeleton rows={8} />
        </div>
      ) : (
        <div className="columns">
          {KINDS.map(([kind, title]) => (
            <section key={kind} className="card card-list" aria-label={title}>
              <h2 className="day">{title}</h2>
              <ul className="rows">
                {categories.filter((it) => it.kind === kind).map((it) => (
                  <CategoryRow
                    key={it.id} category={it} onEdit={() => setEditing({ category: it, parent: null })}
                    onAdd={() => setEditing({ category: null, parent: it })}
                  />
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
      {editing && <CategoryDialog {...editing} onClose={() => setEditing(null)} />}
    </>
  );
}

function CategoryRow({ category, onEdit, onAdd }: { category: CategoryNode; onEdit: () => void; onAdd: () => void }) {
  const { write } = usePermissions();
  return (
    <li className="category-row">
      <span className={`indent indent-${category.depth}`}>
        <Dot color={category.color} /> {category.icon} {category.name}
      </span>
      {write && (
        <>
          {category.depth + 1 < DEPTH_MAX && (
            <button type="button" className="icon-button" aria-label={`Nova categoria em ${category.path}`} onClick={onAdd}>
              <Icon name="plus" size={18} />
            </button>
          )}
          <button type="button" className="icon-button" aria-label={`Editar ${category.path}`} onClick={onEdit}>
            <Icon name="edit" size={18} />
          </button>
        </>
      )}
    </li>
  );
}
