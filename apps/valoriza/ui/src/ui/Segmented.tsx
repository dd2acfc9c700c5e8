import { useId } from 'react';

type Props<T extends string> = { legend: string; options: readonly (readonly [T, string])[]; value: T; onChange: (value: T) => void };

/** One of a few: radio buttons that look like a switch. */
export function Segmented<T extends string>({ legend, options, value, onChange }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="segmented">
      <legend className="visually-hidden">{legend}</legend>
      {options.map(([option, label]) => (
        <label key={option} className={`segment segment-${option}`}>
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => onChange(option)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
