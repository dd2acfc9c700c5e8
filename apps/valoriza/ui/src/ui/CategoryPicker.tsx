/** The ARIA combobox with a list box: type to find, arrows to move, Enter to choose, Escape to leave. */

import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { CategoryKind } from '../api/types';
import { useCatalogue } from '../app/catalogue';
import { search } from '../domain/categoryTree';
import { Dot } from './Bar';
import type { ControlProps } from './Field';

type Option = { id: string | null; name: string; path: string; color: string | null; depth: number };

type Props = {
  control: ControlProps | { id: string; 'aria-label': string };
  value: string | null;
  onChange: (id: string | null) => void;
  /** Likely categories come first. */
  kind?: CategoryKind;
  /** Only those of `kind`, as budgets need. */
  onlyKind?: boolean;
  /** What choosing none is called; without it one must be chosen. */
  noneLabel?: string;
  placeholder?: string;
  /** Opens at once, with `text` typed, and tells when it was left: the picker stands in for something else. */
  inline?: { onLeave: (how: 'chosen' | 'cancelled' | 'blurred') => void; text?: string };
};

/** Room the list wants; with less below the input it opens above, where that is more. */
const LIST_PX = 272;

export function CategoryPicker({ control, value, onChange, kind, onlyKind, noneLabel, placeholder, inline }: Props) {
  const { categories, categoryById } = useCatalogue();
  const [open, setOpen] = useState(inline !== undefined);
  const [text, setText] = useState(inline?.text ?? '');
  const [above, setAbove] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();

  const found: Option[] = search(categories, text, kind).filter((it) => !onlyKind || it.kind === kind);
  const none: Option = { id: null, name: noneLabel ?? '', path: noneLabel ?? '', color: null, depth: 0 };
  const options = noneLabel !== undefined && text === '' ? [none, ...found] : found;
  const [active, setActive] = useState(() => (inline?.text ? 0 : Math.max(0, options.findIndex((it) => it.id === value))));
  const selected = value === null ? none.path : (categoryById.get(value)?.path ?? '');

  useLayoutEffect(() => {
    if (!open || !input.current) return;
    const { top, bottom } = input.current.getBoundingClientRect();
    setAbove(innerHeight - bottom < LIST_PX && top > innerHeight - bottom);
  }, [open]);

  // What was typed before the picker was there is gone on with.
  useLayoutEffect(() => {
    const end = inline?.text?.length ?? 0;
    if (end > 0) input.current?.setSelectionRange(end, end);
  }, []);

  useEffect(() => {
    if (open) document.getElementById(`${listId}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [open, active, listId]);

  const show = () => {
    if (open) return;
    setOpen(true);
    setText('');
    setActive(Math.max(0, options.findIndex((it) => it.id === value)));
  };
  const hide = () => {
    setOpen(false);
    setText('');
  };
  const choose = (option: Option) => {
    hide();
    onChange(option.id);
    inline?.onLeave('chosen');
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const move = (to: number) => {
      event.preventDefault();
      if (!open) show();
      else if (options.length > 0) setActive((to + options.length) % options.length);
    };
    if (event.key === 'ArrowDown') move(active + 1);
    else if (event.key === 'ArrowUp') move(active - 1);
    else if (event.key === 'Enter' && open) {
      event.preventDefault();
      const option = options[active];
      if (option) choose(option);
    } else if (event.key === 'Escape' && open) {
      // The dialog around must not close as well.
      event.preventDefault();
      event.stopPropagation();
      hide();
      inline?.onLeave('cancelled');
    }
  };

  return (
    <div className="picker">
      <input
        {...control} ref={input} type="text" role="combobox" autoComplete="off" spellCheck={false}
        aria-expanded={open} aria-controls={listId} aria-autocomplete="list"
        aria-activedescendant={open && options.length > 0 ? `${listId}-${active}` : undefined}
        autoFocus={inline !== undefined} placeholder={open ? selected || 'Buscar categoria' : placeholder}
        value={open ? text : selected}
        onClick={show} onKeyDown={onKeyDown}
        onChange={(event) => {
          setOpen(true);
          setText(event.target.value);
          setActive(0);
        }}
        onBlur={() => {
          hide();
          inline?.onLeave('blurred');
        }}
      />
      {/* Kept in the page while closed, as aria-controls refers to it. */}
      <ul id={listId} role="listbox" aria-label="Categorias" hidden={!open} className={above ? 'picker-list picker-above' : 'picker-list'}>
        {open && options.map((option, position) => (
          <li
            key={option.id ?? 'none'} id={`${listId}-${position}`} role="option" aria-selected={option.id === value}
            className={position === active ? 'picker-option picker-active' : 'picker-option'}
            // The input keeps the focus.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(option)} onMouseMove={() => setActive(position)}
          >
            <span className={text === '' ? `indent indent-${option.depth}` : 'indent'}>
              <Dot color={option.color} />
              {text === '' ? option.name : option.path}
            </span>
          </li>
        ))}
        {open && options.length === 0 && <li className="picker-none" role="presentation">Nenhuma categoria encontrada</li>}
      </ul>
    </div>
  );
}
