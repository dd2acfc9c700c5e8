/** What the server says and hears, by the names of the contract. */

export type Role = 'viewer' | 'member' | 'owner';

export type Session = {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_token: string;
  user: { id: string; name: string; email: string };
  tenant: { id: string; name: string };
  role: Role;
};

export type Page<T> = { items: T[]; next_cursor: string | null };

type Stored = { id: string; version: number; created_at: string; updated_at: string };

export type AccountKind = 'checking' | 'savings' | 'credit_card' | 'cash' | 'investment';

export type Account = Stored & {
  name: string;
  kind: AccountKind;
  currency: string;
  opening_balance_cents: number;
  balance_cents: number;
  archived: boolean;
};

export type CategoryKind = 'income' | 'expense';

export type Category = Stored & {
  parent_id: string | null;
  name: string;
  kind: CategoryKind;
  color: string;
  icon: string | null;
};

export type CategoryDraft = Pick<Category, 'parent_id' | 'name' | 'kind' | 'color' | 'icon'>;

export type SplitDraft = { category_id: string | null; amount_cents: number; description: string | null };

export type Source = 'user' | 'rule' | 'memory' | 'structure' | 'neighbours' | 'lexicon' | 'model';

/** What the server would choose; `reason` is written for people. */
export type Suggestion = { category_id: string; confidence: number; source: Source; reason: string };

export type Transaction = Stored & {
  account_id: string;
  date: string;
  description: string;
  notes: string | null;
  amount_cents: number;
  currency: string;
  category_id: string | null;
  kind: 'normal' | 'transfer';
  transfer_id: string | null;
  transfer_account_id: string | null;
  splits: (SplitDraft & { id: string })[];
  tags: string[];
  /** Why it has its category; null if it has none or a person chose it before reasons were kept. */
  categorised: { source: Source; confidence: number; reason: string; decided_at: string } | null;
  /** What was likely but not sure enough to be done. */
  suggestion: Suggestion | null;
  import_id: string | null;
};

export type NormalDraft = {
  account_id: string;
  date: string;
  description: string;
  notes: string | null;
  amount_cents: number;
  category_id: string | null;
  splits: SplitDraft[];
  tags: string[];
};

export type TransferDraft = {
  kind: 'transfer';
  account_id: string;
  transfer_account_id: string;
  date: string;
  description: string;
  notes: string | null;
  amount_cents: number;
};

export type TransactionChange = Partial<NormalDraft>;

export type Budget = Stored & {
  category_id: string;
  month: string;
  amount_cents: number;
  spent_cents: number;
  left_cents: number;
};

export type Summary = {
  month: string;
  income_cents: number;
  expense_cents: number;
  net_cents: number;
  balance_cents: number;
  uncategorised_count: number;
  by_category: { category_id: string | null; name: string; color: string | null; kind: CategoryKind; amount_cents: number }[];
  by_day: { date: string; income_cents: number; expense_cents: number }[];
  previous: { month: string; income_cents: number; expense_cents: number; net_cents: number };
};
