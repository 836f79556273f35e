import { useMemo } from 'react';
import { isMine, useTasks } from '../live/use-tasks.ts';
import { useMe } from '../session/use-session.ts';
import { PageHead } from '../shell/page-head.tsx';
import { TasksView } from './tasks-view.tsx';

export function TasksPage() {
  const me = useMe();
  const { tasks } = useTasks();
  const pool = useMemo(() => [...tasks.values()].filter((task) => isMine(task, me.id)), [tasks, me.id]);
  return (
    <TasksView
      label="My tasks"
      pool={pool}
      head={(viewSwitch) => <PageHead title="My tasks">{viewSwitch}</PageHead>}
    />
  );
}
