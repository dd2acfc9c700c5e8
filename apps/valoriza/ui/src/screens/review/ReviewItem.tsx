import type { ReviewItem as Item } from '../../api/categorisation';
import { useCatalogue } from '../../app/catalogue';
import { dayName } from '../../domain/calendar';
import { confidenceText, percentOf } from '../../domain/confidence';
import { formatMoney } from '../../domain/money';
import { Dot } from '../../ui/Bar';
import { CategoryPicker } from '../../ui/CategoryPicker';
import { Icon } from '../../ui/Icon';
import { WhyChip } from '../../ui/WhyChip';

type Props = {
  item: Item;
  current: boolean;
  /** Its answer is on the way to the server. */
  sending: boolean;
  writable: boolean;
  /** What is typed in the picker so far; null while it is not shown. */
  picking: string | null;
  onFocus: () => void;
  onAccept: () => void;
  onChoose: (categoryId: string) => void;
  onSkip: () => void;
  onCorrect: () => void;
  onLeave: () => void;
};

export function ReviewItem({ item, current, sending, writable, picking, onFocus, ...on }: Props) {
  const { accountById } = useCatalogue();
  const { transaction } = item;
  const { amount_cents: cents, currency } = transaction;
  return (
    <li
      className={sending ? 'review-item review-sending' : 'review-item'} tabIndex={current ? 0 : -1} aria-busy={sending}
      {...(current && { 'aria-current': true })} onFocus={onFocus} onClick={onFocus}
    >
      <div className="review-what">
        <span className="row-description">{transaction.description}</span>
        <span className="row-account">
          {dayName(transaction.date)} · {accountById.get(transaction.account_id)?.name}
        </span>
      </div>
      <span className={cents > 0 ? 'amount amount-in' : 'amount'}>
        {cents > 0 ? '+' : ''}
        {formatMoney(cents, currency)}
      </span>
      <div className="review-answer">
        {picking === null ? <Suggested item={item} /> : <Picker item={item} text={picking} onChoose={on.onChoose} onLeave={on.onLeave} />}
      </div>
      {writable && picking === null && <Actions item={item} current={current} sending={sending} {...on} />}
    </li>
  );
}

function Suggested({ item: { suggestion } }: { item: Item }) {
  const { categoryById } = useCatalogue();
  if (!suggestion) return <p className="muted">Sem sugestão: nada parecido é conhecido.</p>;
  const category = categoryById.get(suggestion.category_id);
  return (
    <p className="review-suggestion">
      <span className="review-category">
        <Dot color={category?.color} /> {category?.path ?? 'Categoria excluída'}
      </span>
      <span className="confidence">{confidenceText(suggestion.confidence)}</span>
      <WhyChip why={suggestion} />
    </p>
  );
}

type PickerProps = { item: Item; text: string; onChoose: (categoryId: string) => void; onLeave: () => void };

function Picker({ item: { transaction, suggestion }, text, onChoose, onLeave }: PickerProps) {
  return (
    <CategoryPicker
      control={{ id: `revisar-${transaction.id}`, 'aria-label': `Categoria de ${transaction.description}` }}
      value={suggestion?.category_id ?? null} kind={transaction.amount_cents < 0 ? 'expense' : 'income'}
      onChange={(id) => id !== null && onChoose(id)} inline={{ onLeave, text }}
    />
  );
}

type ActionsProps = Pick<Props, 'item' | 'current' | 'sending' | 'onAccept' | 'onChoose' | 'onSkip' | 'onCorrect'>;

function Actions({ item, current, sending, onAccept, onChoose, onSkip, onCorrect }: ActionsProps) {
  const { categoryById } = useCatalogue();
  const { description } = item.transaction;
  return (
    <div className="review-actions">
      {item.suggestion && (
        <button
          type="button" className="button button-small button-accept" disabled={sending} aria-keyshortcuts="a"
          aria-label={`Aceitar a sugestão para ${description}`} onClick={onAccept}
        >
          <Icon name="check" size={16} /> Aceitar
        </button>
      )}
      <button
        type="button" className="button button-small" disabled={sending} aria-keyshortcuts="c"
        aria-label={`${item.suggestion ? 'Corrigir' : 'Escolher'} a categoria de ${description}`} onClick={onCorrect}
      >
        {item.suggestion ? 'Corrigir' : 'Escolher'}
      </button>
      {current && (
        <>
          {item.alternatives.slice(0, 3).map((other, position) => {
            const category = categoryById.get(other.category_id);
            return category && other.category_id !== item.suggestion?.category_id ? (
              <button
                key={other.category_id} type="button" className="button button-small button-quiet" disabled={sending}
                aria-keyshortcuts={String(position + 1)} onClick={() => onChoose(other.category_id)}
              >
                <Dot color={category.color} /> {category.name} <span className="muted">{percentOf(other.confidence)}%</span>
              </button>
            ) : null;
          })}
          <button type="button" className="button button-small button-quiet" disabled={sending} aria-keyshortcuts="s" onClick={onSkip}>
            Depois
          </button>
        </>
      )}
    </div>
  );
}
