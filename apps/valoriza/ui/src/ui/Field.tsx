import { type ReactNode, useId } from 'react';

export type ControlProps = { id: string; 'aria-invalid'?: true; 'aria-describedby'?: string };

type Props = {
  label: string;
  error?: string | undefined;
  hint?: string;
  className?: string;
  children: (control: ControlProps) => ReactNode;
};

/** A control with its label, its hint and what is wrong with it, tied together for screen readers. */
export function Field({ label, error, hint, className = '', children }: Props) {
  const id = useId();
  const control: ControlProps = { id };
  if (error) control['aria-invalid'] = true;
  if (error || hint) control['aria-describedby'] = `${id}-note`;
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children(control)}
      {(error || hint) && (
        <p id={`${id}-note`} className={error ? 'field-error' : 'field-hint'}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
