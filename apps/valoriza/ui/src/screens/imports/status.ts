/** What an import's status means to the person: its name, and what may be done next. */

import type { Import, ImportStatus, Statement } from '../../api/imports';

/** `busy`: the server works. `ask`: the person is asked. */
export type Tone = 'busy' | 'ask' | 'good' | 'bad' | 'off';

type Meaning = { label: string; tone: Tone };

const MEANINGS: Record<ImportStatus, Meaning> = {
  parsing: { label: 'Lendo o arquivo', tone: 'busy' },
  needs_mapping: { label: 'Falta indicar as colunas', tone: 'ask' },
  preview: { label: 'Pronto para conferir', tone: 'ask' },
  committing: { label: 'Importando', tone: 'busy' },
  done: { label: 'Importado', tone: 'good' },
  failed: { label: 'Não foi possível ler', tone: 'bad' },
  undoing: { label: 'Desfazendo', tone: 'busy' },
  undone: { label: 'Desfeito', tone: 'off' },
};

export function meaningOf(status: ImportStatus): Meaning {
  return MEANINGS[status];
}

/** The server will change it by itself; until then it is read again. */
export function isWorking(status: ImportStatus): boolean {
  return MEANINGS[status].tone === 'busy';
}

/** Forgetting it leaves no trace in the accounts. */
export function isDiscardable(status: ImportStatus): boolean {
  return status !== 'committing' && status !== 'done' && status !== 'undoing';
}

export type Totals = { rows: number; new: number; duplicate: number; invalid: number };

export function totalsOf(statements: readonly Statement[]): Totals {
  const sum = (of: (it: Statement) => number) => statements.reduce((total, it) => total + of(it), 0);
  return { rows: sum((it) => it.rows), new: sum((it) => it.new), duplicate: sum((it) => it.duplicate), invalid: sum((it) => it.invalid) };
}

/** Why it cannot be imported yet; null if it can. */
export function obstacle(it: Import): string | null {
  if (it.status !== 'preview') return 'O arquivo ainda não está pronto.';
  const hasNoPlace = (statement: Statement) => statement.account_id === null && statement.new + statement.duplicate > 0;
  if (it.statements.some(hasNoPlace)) return 'Escolha a conta de cada extrato.';
  return null;
}

const PROFILES: Record<string, string> = {
  nubank_account: 'Nubank, conta', nubank_card: 'Nubank, cartão', inter: 'Inter', itau: 'Itaú', bradesco: 'Bradesco',
  mapped: 'CSV', ofx: 'OFX',
};

/** `Nubank, cartão`; null while nothing is known of the file. */
export function kindOf(it: Import): string | null {
  if (it.profile !== null) return PROFILES[it.profile] ?? it.profile;
  return it.format?.toUpperCase() ?? null;
}

/** `3 novas, 1 repetida`; empty without rows. */
export function countText({ new: fresh, duplicate, invalid }: Totals): string {
  const part = (count: number, one: string, many: string) =>
    count === 0 ? [] : [`${count.toLocaleString('pt-BR')} ${count === 1 ? one : many}`];
  return [
    ...part(fresh, 'nova', 'novas'), ...part(duplicate, 'repetida', 'repetidas'), ...part(invalid, 'com erro', 'com erro'),
  ].join(', ');
}
