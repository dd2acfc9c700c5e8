/** Income and expense of each day as bars and what they leave as a line. */

import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Summary } from '../api/types';
import { shortDate, today } from '../domain/calendar';
import { formatBrief, formatMoney } from '../domain/money';

type Days = Summary['by_day'];

const HEIGHT_PX = 240;

/** What each day leaves in hand, counted from the first of the month. */
function runningNet(days: Days): number[] {
  let net = 0;
  return days.map((day) => (net += day.income_cents - day.expense_cents));
}

/** Today, or the last day with a movement if some are dated ahead. */
function lastKnown(days: Days): string {
  const moved = days.findLast((day) => day.income_cents !== 0 || day.expense_cents !== 0)?.date ?? '';
  const now = today();
  return moved > now ? moved : now;
}

function useDarkMode(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const listen = () => setDark(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  return dark;
}

function options(width: number, onDay: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  // uPlot declares its path builders as optional for builds that leave them out; this one has them.
  const bars = (align: -1 | 1): Partial<uPlot.Series> => {
    const paths = uPlot.paths.bars?.({ size: [0.36, 14], align, radius: 0.25 });
    return { points: { show: false }, ...(paths && { paths }) };
  };
  return {
    width,
    height: HEIGHT_PX,
    padding: [12, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: (_plot, min, max) => [min - 0.7, max + 0.7] } },
    series: [
      {},
      { fill: token('--income'), ...bars(-1) },
      { fill: token('--expense'), ...bars(1) },
      { stroke: token('--line'), width: 2, points: { show: false } },
    ],
    axes: [
      { font, stroke: token('--muted'), grid: { show: false }, ticks: { show: false }, space: 28, incrs: [1, 2, 5, 10], size: 28 },
      {
        font, stroke: token('--muted'), grid: { stroke: token('--border'), width: 1 }, ticks: { show: false },
        size: 62, space: 44, values: (_plot, values) => values.map(formatBrief),
      },
    ],
    hooks: { setCursor: [(plot) => onDay(plot.cursor.idx ?? null)] },
  };
}

export function DailyChart({ days }: { days: Days }) {
  const host = useRef<HTMLDivElement>(null);
  const dark = useDarkMode();
  const [shown, setShown] = useState<number | null>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const data: uPlot.AlignedData = [
      days.map((_, position) => position + 1),
      days.map((day) => day.income_cents),
      days.map((day) => day.expense_cents),
      // The line ends today: what has not happened yet is not known to leave anything.
      runningNet(days).map((net, position) => ((days[position]?.date ?? '') <= lastKnown(days) ? net : null)),
    ];
    const plot = new uPlot(options(element.clientWidth, setShown), data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
    // A change of theme redraws with its colours.
  }, [days, dark]);

  const net = runningNet(days);
  const day = shown === null ? undefined : days[shown];
  return (
    <figure className="chart">
      <figcaption className="chart-legend" aria-hidden="true">
        {day ? (
          <>
            <strong>{shortDate(day.date)}</strong>
            <span className="key key-income">{formatMoney(day.income_cents)}</span>
            <span className="key key-expense">{formatMoney(day.expense_cents)}</span>
            <span className="key key-line">{formatMoney(net[shown ?? 0] ?? 0)}</span>
          </>
        ) : (
          <>
            <span className="key key-income">Receitas</span>
            <span className="key key-expense">Despesas</span>
            <span className="key key-line">Saldo acumulado</span>
          </>
        )}
      </figcaption>
      <div ref={host} className="chart-host" aria-hidden="true" />
      <DailyTable days={days} net={net} />
    </figure>
  );
}

/** The chart's figures for those who do not see it; days without movement are left out. */
function DailyTable({ days, net }: { days: Days; net: number[] }) {
  return (
    // The wrapper is what is hidden: a table is never narrower than its words.
    <div className="visually-hidden">
      <table>
        <caption>Receitas e despesas por dia</caption>
        <thead>
          <tr>
            <th scope="col">Dia</th>
            <th scope="col">Receitas</th>
            <th scope="col">Despesas</th>
            <th scope="col">Saldo acumulado</th>
          </tr>
        </thead>
        <tbody>
          {days.map((day, position) =>
            day.income_cents === 0 && day.expense_cents === 0 ? null : (
              <tr key={day.date}>
                <th scope="row">{shortDate(day.date)}</th>
                <td>{formatMoney(day.income_cents)}</td>
                <td>{formatMoney(day.expense_cents)}</td>
                <td>{formatMoney(net[position] ?? 0)}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
