import type { CategoryKind } from '../../api/types';
import type { Errors } from '../../app/form';
import { formatAmount, formatMoney } from '../../domain/money';
import { complete, evenly, type Part, remaining, SPLITS_MAX, SPLITS_MIN } from '../../domain/split';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { Field } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { MoneyInput } from '../../ui/MoneyInput';
import { newPart } from './draft';

type Props = {
  totalCents: number;
  parts: Part[];
  kind: CategoryKind;
  errors: Errors;
  onChange: (parts: Part[]) => void;
  onCancel: () => void;
};

export function SplitEditor({ totalCents, parts, kind, errors, onChange, onCancel }: Props) {
  const left = remaining(totalCents, parts);
  const change = (key: string, values: Partial<Part>) => onChange(parts.map((it) => (it.key === key ? { ...it, ...values } : it)));
  const shareEvenly = () => {
    const shares = evenly(totalCents, parts.length);
    onChange(parts.map((it, position) => ({ ...it, amount: formatAmount(shares[position] ?? 0) })));
  };

  return (
    <fieldset className="split">
      <legend>Dividir por categorias</legend>
      {parts.map((part, position) => (
        <div key={part.key} className="split-part" role="group" aria-label={`Parte ${position + 1}`}>
          <Field label="Categoria" error={errors[`splits.${position}.category_id`]} className="split-category">
            {(control) => (
              <CategoryPicker control={control} value={part.categoryId} kind={kind} noneLabel="Sem categoria" onChange={(categoryId) => change(part.key, { categoryId })} />
            )}
          </Field>
          <Field label="Valor" error={errors[`splits.${position}.amount_cents`]} className="split-amount">
            {(control) => <MoneyInput control={control} value={part.amount} onChange={(amount) => change(part.key, { amount })} />}
          </Field>
          <button
            type="button" className="icon-button split-remove" aria-label={`Remover parte ${position + 1}`}
            disabled={parts.length <= SPLITS_MIN} onClick={() => onChange(parts.filter((it) => it.key !== part.key))}
          >
            <Icon name="trash" size={18} />
          </button>
        </div>
      ))}
      <div className="split-sum">
        <p className={left === 0 ? 'split-left split-exact' : 'split-left'} role="status">
          {left === 0 ? 'A soma confere' : left > 0 ? `Falta distribuir ${formatMoney(left)}` : `Passou ${formatMoney(-left)} do valor`}
        </p>
        {left > 0 && (
          <button type="button" className="button button-small" onClick={() => onChange(complete(totalCents, parts))}>
            Completar
          </button>
        )}
      </div>
      {errors.splits && (
        <p className="field-error" role="alert">
          {errors.splits}
        </p>
      )}
      <div className="split-actions">
        <button type="button" className="button button-small" disabled={parts.length >= SPLITS_MAX} onClick={() => onChange([...parts, newPart(left > 0 ? left : null)])}>
          <Icon name="plus" size={16} /> Adicionar parte
        </button>
        <button type="button" className="button button-small" onClick={shareEvenly}>
          Dividir igualmente
        </button>
        <button type="button" className="button button-small button-quiet" onClick={onCancel}>
          Não dividir
        </button>
      </div>
    </fieldset>
  );
}
