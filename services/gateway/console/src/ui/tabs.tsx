import { useEffect, useRef } from 'react';
import { Link } from 'wouter';

export interface Tab {
  key: string;
  label: string;
}

interface TabsProps {
  label: string;
  tabs: readonly Tab[];
  current: string;
  /** Before the key of each. */
  base: string;
}

/** The parts of a view, each with an address of its own. */
export function Tabs({ label, tabs, current, base }: TabsProps) {
  const ref = useRef<HTMLElement>(null);
  // Where there is little room, it may be out of sight.
  useEffect(() => ref.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [current]);
  return (
    <nav className="tabs" aria-label={label} ref={ref}>
      {tabs.map(({ key, label: words }) => (
        <Link key={key} href={`${base}/${key}`} aria-current={key === current ? 'page' : undefined}>
          {words}
        </Link>
      ))}
    </nav>
  );
}
