import { useEffect, useRef, useState } from 'react';
import type { TransactionFilter } from '../../api/finance';
import { useCatalogue } from '../../app/catalogue';
import { SEARCH_ID } from '../../app/shortcuts';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { Field } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { NAMES } from './filter';

type Props = { filter: TransactionFilter; change: (changes: Record<string, string | null>) => void };

/** How long typing pauses before it counts as a search. */
const TYPING_MS = 250;

export function Filters({ filter, change }: Props) {
  const { accounts } = useCatalogue();
  const [shown, setShown] = useState(false);
  const { q: _text, ...others } = filter;
  const count = Object.keys(others).length;

  return (
    <search className="filters">
      <div className="filters-first">
        <SearchField value={filter.q ?? ''} onChange={(text) => change({ [NAMES.text]: text })} />
        <button
          type="button" className="button filters-toggle" aria-expanded={shown} aria-controls="filtros"
          onClick={() => setShown(!shown)}
        >
          <Icon name="filter" size={18} /> Filtros{count > 0 && <span className="badge">{count}</span>}
        </button>
      </div>
      <div id="filtros" className={shown ? 'filters-more filters-shown' : 'filters-more'}>
        <Field label="Conta">
          {(control) => (
            <select {...control} value={filter.account_id ?? ''} onChange={(event) => change({ [NAMES.account]: event.target.value })}>
              <option value="">Todas as contas</option>
              {accounts.map((it) => (
                <option key={it.id} value={it.id}>
                  {it.name}
                  {it.archived ? ' (arquivada)' : ''}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Categoria">
          {(control) => (
            <CategoryPicker
              control={control} value={filter.category_id ?? null} noneLabel="Todas as categorias"
              onChange={(id) => change({ [NAMES.category]: id, [NAMES.uncategorised]: null })}
            />
          )}
        </Field>
        <Field label="De">
          {(control) => (
            <input {...control} type="date" value={filter.from ?? ''} max={filter.to} onChange={(event) => change({ [NAMES.from]: event.target.value })} />
          )}
        </Field>
        <Field label="Até">
          {(control) => (
            <input {...control} type="date" value={filter.to ?? ''} min={filter.from} onChange={(event) => change({ [NAMES.to]: event.target.value })} />
          )}
        </Field>
        <label className="check">
          <input
            type="checkbox" checked={filter.uncategorised ?? false}
            onChange={(event) => change({ [NAMES.uncategorised]: event.target.checked ? '1' : null, [NAMES.category]: null })}
          />
          Só sem categoria
        </label>
        {count + (filter.q ? 1 : 0) > 0 && (
          <button type="button" className="button button-quiet" onClick={() => change(Object.fromEntries(Object.values(NAMES).map((name) => [name, null])))}>
            Limpar filtros
          </button>
        )}
      </div>
    </search>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);

  // The address may change by itself (going back, clearing the filters).
  useEffect(() => {
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);

  useEffect(() => {
    if (text.trim() === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text.trim();
      onChange(text.trim());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);

  return (
    <div className="search-field">
      <Icon name="search" size={18} />
      <input
        id={SEARCH_ID} type="search" aria-label="Buscar transações" aria-keyshortcuts="/" placeholder="Buscar"
        value={text} onChange={(event) => setText(event.target.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
