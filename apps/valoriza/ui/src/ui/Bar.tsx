type Props = { label: string; value: number; max: number; color?: string; tone?: 'brand' | 'neutral' | 'warn' | 'over' };

/** A horizontal bar; SVG attributes size it, so that no inline style is needed. */
export function Bar({ label, value, max, color, tone = 'brand' }: Props) {
  const percent = max > 0 ? Math.min(100, Math.max(0, (value / max) * 100)) : 0;
  return (
    <svg className={`bar bar-${tone}`} role="img" aria-label={label} viewBox="0 0 100 1" preserveAspectRatio="none">
      <rect className="bar-track" width="100" height="1" />
      <rect className="bar-fill" width={percent} height="1" {...(color && { fill: color })} />
    </svg>
  );
}

export function Dot({ color }: { color: string | null | undefined }) {
  return (
    <svg aria-hidden="true" className="dot" width="10" height="10" viewBox="0 0 10 10">
      <circle cx="5" cy="5" r={color ? 5 : 4.25} fill={color ?? 'none'} stroke={color ? 'none' : 'currentColor'} strokeWidth="1.5" strokeDasharray={color ? undefined : '2 1.6'} />
    </svg>
  );
}
