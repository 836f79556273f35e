import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link, useLocation } from 'wouter';
import type { Project } from '#client/tasks';
import { api } from '../api.ts';
import { useUnreadCount } from '../inbox/use-inbox.ts';
import { isAdmin, useMe } from '../session/use-session.ts';
import { IconButton } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';

interface NavItemProps {
  href: string;
  icon: IconName;
  label: string;
  count?: number;
  /** Another entry names the part that is shown. */
  isOutdone?: boolean;
}

const isWithin = (path: string, href: string): boolean => path === href || path.startsWith(`${href}/`);

function NavItem({ href, icon, label, count = 0, isOutdone = false }: NavItemProps) {
  const [path] = useLocation();
  const current = !isOutdone && isWithin(path, href);
  return (
    <li>
      <Link href={href} className="nav-item" aria-current={current ? 'page' : undefined}>
        <Icon name={icon} /> <span className="grow">{label}</span>
        {count > 0 && (
          <span className="nav-count">
            {count > 99 ? '99+' : count}
            <span className="visually-hidden"> unread</span>
          </span>
        )}
      </Link>
    </li>
  );
}

export function useProjects() {
  return useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => (await api.projects.listProjects({ pageSize: 100 }, { signal })).projects,
    staleTime: 60_000,
  });
}

function ProjectLink({ project: { id, name, color } }: { project: Project }) {
  const [path] = useLocation();
  const current = isWithin(path, `/projects/${id}`);
  return (
    <li>
      <Link href={`/projects/${id}`} className="nav-item" aria-current={current ? 'page' : undefined}>
        <span className="project-dot" style={{ background: color || 'var(--accent)' }} />
        <span className="truncate">{name}</span>
      </Link>
    </li>
  );
}

interface SidebarProps {
  /** Where there is little room it lies over the view, and is there when asked for. */
  open: boolean;
  onClose: () => void;
  onHelp: () => void;
}

export function Sidebar({ open, onClose, onHelp }: SidebarProps) {
  const me = useMe();
  const [path] = useLocation();
  const unread = useUnreadCount();
  const { data: projects = [] } = useProjects();
  useEffect(onClose, [path]); // eslint-disable-line react-hooks/exhaustive-deps -- only a new view closes it
  return (
    <>
      {open && <div className="sidebar-veil" onClick={onClose} />}
      <nav
        className={`sidebar${open ? ' open' : ''}`}
        aria-label="Main"
        onKeyDown={({ key }) => key === 'Escape' && onClose()}
      >
        <div className="sidebar-head">
          <span className="brand">
            <img src="/icon.svg" alt="" width="26" height="26" /> TaskFlow
          </span>
          <span className="sidebar-close">
            <IconButton icon="close" label="Close the menu" onClick={onClose} />
          </span>
        </div>
        <ul>
          <NavItem href="/tasks" icon="list" label="My tasks" />
          <NavItem href="/inbox" icon="inbox" label="Inbox" count={unread} />
          <NavItem
            href="/projects"
            icon="folder"
            label="Projects"
            isOutdone={projects.some(({ id }) => isWithin(path, `/projects/${id}`))}
          />
        </ul>
        {projects.length > 0 && (
          <ul className="nav-projects" aria-label="Your projects">
            {projects.map((project) => (
              <ProjectLink key={project.id} project={project} />
            ))}
          </ul>
        )}
        <ul className="nav-foot">
          {isAdmin(me) && <NavItem href="/admin" icon="shield" label="Administration" />}
          <NavItem href="/settings" icon="gear" label="Settings" />
          <li>
            <button type="button" className="nav-item" onClick={onHelp}>
              <Icon name="help" /> <span className="grow">Keys</span> <kbd aria-hidden="true">?</kbd>
            </button>
          </li>
        </ul>
      </nav>
    </>
  );
}
