import type { Summary } from '../../api/types';
import { monthNameOnly } from '../../domain/calendar';
import { formatMoney, percentChange } from '../../domain/money';
import { Icon, type IconName } from '../../ui/Icon';

type Tile = {
  label: string;
  icon: IconName;
  tone: 'income' | 'expense' | 'plain';
  cents: number;
  /** The month before; none for what is only known of now. */
  before?: number;
  /** What may change its sign is compared in money: percent would mean nothing. */
  signed?: true;
  /** Whether more of it is good news. */
  moreIsGood: boolean;
};

export function Tiles({ summary }: { summary: Summary }) {
  const { previous } = summary;
  const tiles: Tile[] = [
    { label: 'Receitas', icon: 'downArrow', tone: 'income', cents: summary.income_cents, before: previous.income_cents, moreIsGood: true },
    { label: 'Despesas', icon: 'up', tone: 'expense', cents: summary.expense_cents, before: previous.expense_cents, moreIsGood: false },
    { label: 'Resultado do mês', icon: 'growth', tone: 'plain', cents: summary.net_cents, before: previous.net_cents, signed: true, moreIsGood: true },
    { label: 'Saldo atual', icon: 'wallet', tone: 'plain', cents: summary.balance_cents, moreIsGood: true },
  ];
  return (
    <dl className="tiles">
      {tiles.map((tile) => (
        <div key={tile.label} className={`card tile tile-${tile.tone}`}>
          <dt>
            <span className="tile-icon">
              <Icon name={tile.icon} size={16} />
            </span>
            {tile.label}
          </dt>
          <dd className="tile-value">{formatMoney(tile.cents)}</dd>
          <dd className="tile-note">
            {tile.before === undefined ? 'em todas as contas' : <Comparison tile={tile} before={tile.before} month={previous.month} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Comparison({ tile, before, month }: { tile: Tile; before: number; month: string }) {
  const name = monthNameOnly(month);
  const difference = tile.cents - before;
  const percent = percentChange(tile.cents, before);
  if (percent === null && !tile.signed) return <>sem valor em {name}</>;
  if (difference === 0 || (percent === 0 && !tile.signed)) return <>igual a {name}</>;
  const good = difference > 0 === tile.moreIsGood;
  const size = tile.signed ? formatMoney(Math.abs(difference)) : `${Math.abs(percent ?? 0).toLocaleString('pt-BR')}%`;
  return (
    <>
      <span className={good ? 'delta delta-good' : 'delta delta-bad'}>
        {difference > 0 ? '+' : '\u2212'}
        {size}
      </span>{' '}
      ante {name}
    </>
  );
}
