import { lazy, Suspense, useState } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { session } from '../api.ts';
import { AuthFrame } from '../auth/frame.tsx';
import { InboxPage } from '../inbox/inbox-page.tsx';
import { useLive, useTasks } from '../live/use-tasks.ts';
import { isAdmin, useMe, useMeQuery } from '../session/use-session.ts';
import { TasksPage } from '../tasks/tasks-page.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { HelpDialog } from './help.tsx';
import { useShortcuts } from './shortcuts.ts';
import { Sidebar } from './sidebar.tsx';
import { TopBar } from './top-bar.tsx';

const ProjectsPage = lazy(async () => ({ default: (await import('../projects/projects-page.tsx')).ProjectsPage }));
const ProjectPage = lazy(async () => ({ default: (await import('../projects/project-page.tsx')).ProjectPage }));
const SettingsPage = lazy(async () => ({ default: (await import('../settings/settings-page.tsx')).SettingsPage }));
const AdminPage = lazy(async () => ({ default: (await import('../admin/admin-page.tsx')).AdminPage }));

function NotFound() {
  return (
    <Empty icon="help" title="There is nothing here">
      <p>The address is wrong, or it is for people with other rights.</p>
    </Empty>
  );
}

function Views() {
  const me = useMe();
  return (
    <Suspense
      fallback={
        <div className="page-inner">
          <Loading rows={8} />
        </div>
      }
    >
      <Switch>
        <Route path="/">{() => <Redirect to="/tasks" replace />}</Route>
        <Route path="/tasks" component={TasksPage} />
        <Route path="/inbox" component={InboxPage} />
        <Route path="/projects" component={ProjectsPage} />
        <Route path="/projects/:projectId/:part?">
          {({ projectId, part }) => <ProjectPage key={projectId} projectId={projectId} part={part} />}
        </Route>
        <Route path="/settings/:part?">{({ part }) => <SettingsPage part={part} />}</Route>
        {isAdmin(me) && <Route path="/admin/:part?">{({ part }) => <AdminPage part={part} />}</Route>}
        <Route component={NotFound} />
      </Switch>
    </Suspense>
  );
}

/** Quiet, since what is shown is still right as of before. */
function OfflineMark() {
  const { state, tasks } = useTasks();
  if (state !== 'offline') return null;
  return (
    <div className="offline-mark" role="status">
      <Icon name="offline" size={16} /> Offline. {tasks.size > 0 && 'This is how it was; '}it goes on by itself.
    </div>
  );
}

function Inside() {
  useLive();
  const [, navigate] = useLocation();
  const [menuOpen, setMenuOpen] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  useShortcuts({
    '?': () => setHelpOpen(true),
    t: () => navigate('/tasks'),
    i: () => navigate('/inbox'),
    p: () => navigate('/projects'),
  });
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <Sidebar open={menuOpen} onClose={() => setMenuOpen(false)} onHelp={() => setHelpOpen(true)} />
      <div className="shell-main">
        <TopBar onMenu={() => setMenuOpen(true)} />
        <OfflineMark />
        <main id="main" tabIndex={-1}>
          <Views />
        </main>
      </div>
      {helpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
    </div>
  );
}

/** The frame around every view, for somebody who is signed in. */
export function Shell() {
  const { data, error, refetch } = useMeQuery();
  if (data !== undefined) return <Inside />;
  return (
    <AuthFrame title={error === null ? 'One moment' : 'Something is wrong'}>
      {error === null ? <Loading rows={3} /> : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {error !== null && <Button onClick={() => void session.logout().catch(() => undefined)}>Sign out</Button>}
    </AuthFrame>
  );
}
