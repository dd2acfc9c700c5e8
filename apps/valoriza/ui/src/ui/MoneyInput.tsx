import { formatAmount, parseMoney } from '../domain/money';
import type { ControlProps } from './Field';

type Props = { control: ControlProps; value: string; onChange: (text: string) => void; large?: boolean; autoFocus?: boolean };

/** An amount as typed text; it is tidied to `1.234,56` on leaving, never while typing. */
export function MoneyInput({ control, value, onChange, large = false, autoFocus = false }: Props) {
  const tidy = () => {
    const parsed = parseMoney(value);
    if (parsed.ok) onChange(formatAmount(parsed.cents));
  };
  return (
    <div className={large ? 'money-input money-input-large' : 'money-input'}>
      <span aria-hidden="true">R$</span>
      <input
        {...control} type="text" inputMode="decimal" autoComplete="off" placeholder="0,00" value={value}
        {...(autoFocus && { 'data-autofocus': true })} onChange={(event) => onChange(event.target.value)} onBlur={tidy}
      />
    </div>
  );
}
