/** Tells the server which column of an unknown CSV is what, with the effect shown as one chooses. */

import { type FormEvent, useState } from 'react';
import { type Import, imports, type Sample } from '../../api/imports';
import { useSubmission } from '../../app/form';
import { useResource } from '../../app/resource';
import { shortDate } from '../../domain/calendar';
import { formatMoney } from '../../domain/money';
import { Field } from '../../ui/Field';
import { FormError } from '../../ui/FormError';
import { Segmented } from '../../ui/Segmented';
import { Failure, LoadingNote, Skeleton } from '../../ui/states';
import { checkMapping, DATE_FORMATS, guess, type MappingDraft, type MappingErrors, previewOf, type PreviewRow } from './mapping';
import type { Change } from './useChanges';

type Props = { it: Import; change: Change };

/** Rows of the preview: enough to see a mistake, few enough to see them all. */
const PREVIEW_ROWS = 6;
/** The server's limit. */
const HEADER_ROWS_MAX = 40;

export function ColumnMapper({ it, change }: Props) {
  const sample = useResource(`sample ${it.id}`, (signal) => imports.sample(it.id, signal));
  if (sample.data) return <MapperForm key={sample.data.columns.join()} sample={sample.data} change={change} />;
  if (sample.error) return <Failure error={sample.error} onRetry={sample.reload} />;
  return (
    <div className="card">
      <LoadingNote />
      <Skeleton rows={6} />
    </div>
  );
}

function MapperForm({ sample, change }: { sample: Sample; change: Change }) {
  const [draft, setDraft] = useState(() => guess(sample));
  const { form, busy, errors, failure, submit } = useSubmission(() => false);
  const set = (values: Partial<MappingDraft>) => setDraft((it) => ({ ...it, ...values }));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const verdict = checkMapping(draft);
    void submit(verdict.ok ? {} : { ...verdict.errors }, async () => {
      if (verdict.ok) await change({ mapping: verdict.mapping });
    });
  };
  return (
    <form ref={form} className="mapper" noValidate onSubmit={onSubmit}>
      <section className="card" aria-labelledby="colunas">
        <h2 id="colunas">O que há em cada coluna?</h2>
        <p className="muted mapper-hint">Não conhecemos este formato. Indique as colunas uma vez; da próxima o valoriza lembra.</p>
        <Columns sample={sample} draft={draft} errors={errors} set={set} />
        <Reading draft={draft} set={set} />
      </section>
      <section className="card mapper-sample" aria-labelledby="arquivo-cru">
        <h2 id="arquivo-cru">Como está no arquivo</h2>
        <SampleTable sample={sample} />
      </section>
      <section className="card mapper-sample" aria-labelledby="previa">
        <h2 id="previa">Como ficará</h2>
        <MappedTable rows={previewOf(sample, draft).slice(0, PREVIEW_ROWS)} />
      </section>
      <FormError error={failure} />
      <footer className="form-actions">
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? 'Enviando…' : 'Ler com estas colunas'}
        </button>
      </footer>
    </form>
  );
}

type ColumnsProps = { sample: Sample; draft: MappingDraft; errors: MappingErrors; set: (values: Partial<MappingDraft>) => void };

function Columns({ sample, draft, errors, set }: ColumnsProps) {
  const column = (label: string, value: number | null, error: string | undefined, choose: (column: number | null) => void) => (
    <Field label={label} error={error}>
      {(control) => (
        <select {...control} value={value ?? ''} onChange={(event) => choose(event.target.value === '' ? null : Number(event.target.value))}>
          <option value="">Escolha…</option>
          {sample.columns.map((name, at) => (
            <option key={at} value={at}>
              {`${at + 1}. ${name || 'sem nome'}`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <div className="mapper-fields">
      {column('Data', draft.date, errors.date, (date) => set({ date }))}
      {column('Descrição', draft.description, errors.description, (description) => set({ description }))}
      <Segmented
        legend="Onde está o valor" value={draft.money} onChange={(money) => set({ money })}
        options={[['one', 'Valor em uma coluna'], ['two', 'Entradas e saídas separadas']]}
      />
      {draft.money === 'one' ? (
        column('Valor', draft.amount, errors.amount, (amount) => set({ amount }))
      ) : (
        <>
          {column('Entradas (crédito)', draft.credit, errors.credit, (credit) => set({ credit }))}
          {column('Saídas (débito)', draft.debit, errors.debit, (debit) => set({ debit }))}
        </>
      )}
    </div>
  );
}

function Reading({ draft, set }: Pick<ColumnsProps, 'draft' | 'set'>) {
  return (
    <div className="mapper-fields">
      <Field label="Formato da data">
        {(control) => (
          <select {...control} value={draft.dateFormat} onChange={(event) => set({ dateFormat: event.target.value as MappingDraft['dateFormat'] })}>
            {DATE_FORMATS.map(([format, example]) => (
              <option key={format} value={format}>
                {example}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Centavos depois de">
        {(control) => (
          <select {...control} value={draft.decimal} onChange={(event) => set({ decimal: event.target.value as MappingDraft['decimal'] })}>
            <option value="comma">Vírgula: 1.234,56</option>
            <option value="point">Ponto: 1,234.56</option>
          </select>
        )}
      </Field>
      <Field label="Linhas de cabeçalho">
        {(control) => (
          <input
            {...control} type="number" min={0} max={HEADER_ROWS_MAX} value={draft.headerRows}
            onChange={(event) => set({ headerRows: Math.min(HEADER_ROWS_MAX, Math.max(0, Math.trunc(event.target.valueAsNumber) || 0)) })}
          />
        )}
      </Field>
      <label className="check">
        <input type="checkbox" checked={draft.negate} onChange={(event) => set({ negate: event.target.checked })} />
        Gastos estão como valores positivos
      </label>
    </div>
  );
}

function SampleTable({ sample }: { sample: Sample }) {
  return (
    // Scrolls sideways by itself, also by keyboard.
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Amostra do arquivo">
      <table>
        <thead>
          <tr>
            {sample.columns.map((name, at) => (
              <th key={at} scope="col">
                {`${at + 1}. ${name}`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sample.rows.slice(0, PREVIEW_ROWS).map((row, at) => (
            <tr key={at}>
              {sample.columns.map((_, column) => (
                <td key={column}>{row[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MappedTable({ rows }: { rows: PreviewRow[] }) {
  const missing = <span className="field-error">não entendi</span>;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Prévia das transações">
      <table>
        <thead>
          <tr>
            <th scope="col">Data</th>
            <th scope="col">Descrição</th>
            <th scope="col" className="amount">
              Valor
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              <td>{row.date ? shortDate(row.date) : missing}</td>
              <td>{row.description || missing}</td>
              <td className={row.cents !== null && row.cents > 0 ? 'amount amount-in' : 'amount'}>
                {row.cents === null ? missing : formatMoney(row.cents)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
