/** The outlines, each in a square of 24. */
const paths = {
  board: 'M4 5h5v14H4zM10.5 5h4v9h-4zM16 5h4v11h-4z',
  bell: 'M6 9a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20h4',
  calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  chevron: 'm9 6 6 6-6 6',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3 2',
  close: 'M6 6l12 12M18 6 6 18',
  comment: 'M4 5h16v11h-9l-5 4v-4H4z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  down: 'm6 9 6 6 6-6',
  filter: 'M4 6h16M7 12h10M10 18h4',
  flag: 'M6 21V4h11l-2 4 2 4H6',
  folder: 'M3 6h6l2 2h10v11H3z',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M19 12l2-1-1-3-2 .3-1.5-1.6.3-2.2-3-1L12 5.4 10.2 3.5l-3 1 .3 2.2L6 8.3 4 8l-1 3 2 1-2 1 1 3 2-.3 1.5 1.6-.3 2.2 3 1L12 18.6l1.8 1.9 3-1-.3-2.2 1.5-1.6 2 .3 1-3z',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5v.1',
  history: 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5M12 8v4.5l3 1.5',
  inbox: 'M4 13l3-8h10l3 8v6H4zM4 13h5l1 2.5h4L15 13h5',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5.5M12 7.5v.1',
  label: 'M3 12V4h8l10 10-8 8zM7.5 8.5v.1',
  list: 'M8 6h12M8 12h12M8 18h12M4 6v.1M4 12v.1M4 18v.1',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  mail: 'M3 6h18v13H3zM3 7l9 7 9-7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  more: 'M5 12v.1M12 12v.1M19 12v.1',
  offline: 'M3 4l18 17M5 12a10 10 0 0 1 3-2M8.5 15.5a5 5 0 0 1 5-1.2M12 19v.1M12.5 8.1A10 10 0 0 1 19 12',
  out: 'M14 4h6v16h-6M4 12h11M11 8l4 4-4 4',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c.5-4 3.5-6 8-6s7.5 2 8 6',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 21 21',
  shield: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19',
  team: 'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2.5 20c.4-3.5 2.8-5 6.5-5s6.1 1.5 6.5 5M16 5.5a3.3 3.3 0 0 1 0 6.3M18 15.5c2 .6 3.2 2 3.5 4.5',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  warning: 'M12 4 2.5 20h19zM12 10v4.5M12 17.5v.1',
  webhook: 'M9 8a3.5 3.5 0 1 1 5 3l3 5M15 18H8a3.5 3.5 0 1 1-2-5l3-4',
} as const;

export type IconName = keyof typeof paths;

/** Decoration beside words, or the sight of a button that has a label. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor">
      <path d={paths[name]} strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
