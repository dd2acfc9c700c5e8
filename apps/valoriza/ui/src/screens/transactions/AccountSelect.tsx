import type { Account } from '../../api/types';
import { Field } from '../../ui/Field';

type Props = {
  label: string;
  accounts: readonly Account[];
  value: string;
  error: string | undefined;
  disabled?: boolean;
  onChange: (id: string) => void;
};

/** One of the accounts in use; an archived one only if it is the one already chosen. */
export function AccountSelect({ label, accounts, value, error, disabled = false, onChange }: Props) {
  return (
    <Field label={label} error={error}>
      {(control) => (
        <select {...control} value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
          {value === '' && <option value="">Escolha…</option>}
          {accounts.filter((it) => !it.archived || it.id === value).map((it) => (
            <option key={it.id} value={it.id}>
              {it.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
