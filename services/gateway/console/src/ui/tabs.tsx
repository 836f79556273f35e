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
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ key, label: words }) => (
        <Link key={key} href={`${base}/${key}`} aria-current={key === current ? 'page' : undefined}>
          {words}
        </Link>
      ))}
    </nav>
  );
}
