import { useLocation } from 'wouter';
import { session } from '../api.ts';
import { useMe } from '../session/use-session.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Avatar } from '../ui/avatar.tsx';
import { IconButton } from '../ui/button.tsx';
import { Menu } from '../ui/menu.tsx';
import { setTheme, useTheme, type Theme } from './theme.ts';

const themes: readonly { value: Theme; label: string; icon: 'gear' | 'sun' | 'moon' }[] = [
  { value: 'system', label: 'Like the system', icon: 'gear' },
  { value: 'light', label: 'Light', icon: 'sun' },
  { value: 'dark', label: 'Dark', icon: 'moon' },
];

export function TopBar({ onMenu }: { onMenu: () => void }) {
  const me = useMe();
  const theme = useTheme();
  const [, navigate] = useLocation();
  return (
    <header className="top-bar">
      <span className="top-menu">
        <IconButton icon="menu" label="Menu" onClick={onMenu} />
      </span>
      <span className="grow" />
      <Menu
        align="end"
        trigger={
          <button type="button" className="account-button" aria-label={`Account of ${me.displayName}`}>
            <Avatar id={me.id} name={me.displayName} large />
          </button>
        }
        groups={[
          {
            title: `${me.displayName}, ${me.email}`,
            entries: [{ label: 'Settings', icon: 'gear', onChoose: () => navigate('/settings') }],
          },
          {
            title: 'Look',
            entries: themes.map(({ value, label, icon }) => ({
              label,
              icon,
              checked: theme === value,
              stays: true,
              onChoose: () => setTheme(value),
            })),
          },
          {
            entries: [
              { label: 'Sign out', icon: 'out', onChoose: () => void session.logout().catch(reportFailure) },
            ],
          },
        ]}
      />
    </header>
  );
}
