import { addMonths, currentMonth, monthName } from '../domain/calendar';
import { Icon } from './Icon';

export function MonthSwitcher({ month, onChange }: { month: string; onChange: (month: string) => void }) {
  const now = currentMonth();
  return (
    <div className="month-switcher" role="group" aria-label="Mês">
      <button type="button" className="icon-button" aria-label="Mês anterior" onClick={() => onChange(addMonths(month, -1))}>
        <Icon name="left" />
      </button>
      <span className="month-name" aria-live="polite">
        {monthName(month)}
      </span>
      <button type="button" className="icon-button" aria-label="Próximo mês" onClick={() => onChange(addMonths(month, 1))}>
        <Icon name="right" />
      </button>
      {month !== now && (
        <button type="button" className="button button-small" onClick={() => onChange(now)}>
          Mês atual
        </button>
      )}
    </div>
  );
}
