import type { AccountKind } from '../../api/types';
import type { IconName } from '../../ui/Icon';

export const KINDS: Record<AccountKind, { label: string; icon: IconName }> = {
  checking: { label: 'Conta-corrente', icon: 'bank' },
  savings: { label: 'Poupança', icon: 'piggy' },
  credit_card: { label: 'Cartão de crédito', icon: 'card' },
  cash: { label: 'Dinheiro', icon: 'cash' },
  investment: { label: 'Investimento', icon: 'growth' },
};

export const KIND_NAMES = Object.keys(KINDS) as AccountKind[];
