/** Line icons on a 24-unit grid. They are decoration: the text beside them or the control's label says it. */

const PATHS = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
  wallet: 'M4 7.5A2.5 2.5 0 0 1 6.5 5H17v3M4 7.5V17a2 2 0 0 0 2 2h13a1 1 0 0 0 1-1V9a1 1 0 0 0-1-1H5.5M16 13.5h.01',
  target: 'M12 3a9 9 0 1 0 9 9M12 7a5 5 0 1 0 5 5M12 12l8-8M17 4v3h3',
  plus: 'M12 5v14M5 12h14',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  down: 'M6 9l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20',
  filter: 'M4 6h16M7 12h10M10 18h4',
  logout: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h11M17.5 8.5L21 12l-3.5 3.5',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.6 9.5a2.5 2.5 0 1 1 3.4 2.3c-.6.3-1 .8-1 1.5v.4M12 16.8h.01',
  transfer: 'M4 8h14M14.5 4.5L18 8l-3.5 3.5M20 16H6M9.5 12.5L6 16l3.5 3.5',
  up: 'M12 19V5M6 11l6-6 6 6',
  downArrow: 'M12 5v14M6 13l6 6 6-6',
  split: 'M12 20v-7M12 13C12 9 6 9 6 4M12 13c0-4 6-4 6-9M3.5 6.5L6 4l2.5 2.5M15.5 6.5L18 4l2.5 2.5',
  trash: 'M5 7h14M10 11v6M14 11v6M7 7l1 13h8l1-13M9 7V4h6v3',
  edit: 'M4 20l1-4L16 5l3 3L8 19z',
  bank: 'M4 10l8-5 8 5zM6 10v7M10 10v7M14 10v7M18 10v7M4 20h16',
  piggy: 'M5 11a6 5 0 0 1 6-4h4l3-2v4l2 2v4l-2 1-1 3h-3v-2h-4v2H7l-1-4a6 5 0 0 1-1-4zM15 11h.01',
  card: 'M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM3 10h18M7 15h3',
  cash: 'M3 7h18v10H3zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM6 10v.01M18 14v.01',
  upload: 'M12 15V4M7.5 8.5L12 4l4.5 4.5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4',
  download: 'M12 4v11M7.5 10.5L12 15l4.5-4.5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4',
  check: 'M5 12.5l5 5L19.5 7',
  inbox: 'M4 13l2.5-8h11L20 13v6H4zM4 13h5l1.5 3h3L15 13h5',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6z',
  report: 'M6 3h9l4 4v14H6zM14.5 3v5H19M9 12h7M9 16h7',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4',
  tag: 'M4 4h8l8 8-8 8-8-8zM8.5 8.5h.01',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  open: 'M14 4h6v6M20 4l-9 9M10 5H5v14h14v-5',
  growth: 'M4 18l5-6 4 3 7-9M15 6h5v5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true" className="icon" width={size} height={size} viewBox="0 0 24 24" fill="none"
      stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo({ size = 30 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32">
      <rect width="32" height="32" rx="9" fill="var(--logo)" />
      <path
        d="M8 10l6.2 12.4a2 2 0 0 0 3.6 0L24 10" fill="none" stroke="#fff" strokeWidth="3.6"
        strokeLinecap="round" strokeLinejoin="round"
      />
      <circle cx="16" cy="9.6" r="2.4" fill="#9ff0c9" />
    </svg>
  );
}
