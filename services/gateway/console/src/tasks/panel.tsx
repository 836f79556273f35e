import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { TaskFlowError } from '#client/index';
import type { Task } from '#client/tasks';
import { api } from '../api.ts';
import { useTasks } from '../live/use-tasks.ts';
import { useProject } from '../projects/use-project.ts';
import { isAdmin, useMe } from '../session/use-session.ts';
import { IconButton } from '../ui/button.tsx';
import { Menu } from '../ui/menu.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { showToast } from '../ui/toast.tsx';
import { deleteTasks, undeleteTasks } from './actions.ts';
import { Comments } from './comments.tsx';
import { ConflictDialog } from './conflict.tsx';
import type { Viewer } from './filters.ts';
import { History } from './history.tsx';
import { TaskFields } from './panel-fields.tsx';
import { reportFailure } from './report-failure.ts';
import { rightsOn, type TaskRights } from './task-rights.ts';
import { useTaskEdit } from './use-task-edit.ts';
import { WhyOverdue } from './why-overdue.tsx';

/** The task as the list has it, or asked for, when it is not among the viewer's. */
function useTask(taskId: string): { task: Task | undefined; error: unknown } {
  const { tasks, isWhole } = useTasks();
  const listed = tasks.get(taskId);
  const { data, error } = useQuery({
    queryKey: ['task', taskId],
    queryFn: async ({ signal }) => (await api.tasks.getTask({ taskId }, { signal })).task,
    enabled: listed === undefined && isWhole,
  });
  return { task: listed ?? data, error };
}

async function remove(task: Task, onClose: () => void): Promise<void> {
  const { failed } = await deleteTasks([task]);
  if (failed[0] !== undefined) throw failed[0];
  onClose();
  showToast(`“${task.title}” is deleted`, {
    label: 'Undo',
    run: () => void undeleteTasks([task]).catch(reportFailure),
  });
}

interface PanelProps {
  taskId: string;
  viewer: Viewer;
  onClose: () => void;
}

/** What the viewer may do with it; nothing while that is not known. */
function useRights(task: Task | undefined): TaskRights | undefined {
  const me = useMe();
  const { data: project } = useProject(task?.projectId ?? '');
  return task && rightsOn(task, { id: me.id, isAdmin: isAdmin(me) }, project);
}

interface HeadProps {
  task: Task | undefined;
  rights: TaskRights | undefined;
  onClose: () => void;
}

function PanelHead({ task, rights, onClose }: HeadProps) {
  const me = useMe();
  const [, navigate] = useLocation();
  return (
    <header className="panel-head">
      <span className="faint small">{task?.key || 'Task'}</span>
      <span className="row">
        {task !== undefined && (
          <Menu
            align="end"
            trigger={<IconButton icon="more" label="More about this task" />}
            groups={[
              {
                entries: [
                  {
                    label: 'Copy link',
                    icon: 'copy',
                    onChoose: () =>
                      void navigator.clipboard
                        .writeText(`${location.origin}/tasks?task=${task.id}`)
                        .then(() => showToast('The link is copied'), reportFailure),
                  },
                  ...(isAdmin(me)
                    ? [
                        {
                          label: 'Why overdue, or not?',
                          icon: 'help' as const,
                          onChoose: () => navigate(`/admin/overdue?task=${task.id}`),
                        },
                      ]
                    : []),
                ],
              },
              {
                entries: rights?.write !== true ? [] : [
                  {
                    label: 'Delete',
                    icon: 'trash',
                    danger: true,
                    onChoose: () => void remove(task, onClose).catch(reportFailure),
                  },
                ],
              },
            ]}
          />
        )}
        <IconButton icon="close" label="Close the task" onClick={onClose} />
      </span>
    </header>
  );
}

function PanelBody({ task, viewer, rights }: { task: Task; viewer: Viewer; rights: TaskRights }) {
  const edit = useTaskEdit();
  return (
    <div className="panel-body">
      {edit.error !== undefined && <ErrorNotice error={edit.error} />}
      <TaskFields task={task} viewer={viewer} edit={edit} rights={rights} />
      <WhyOverdue task={task} viewer={viewer} />
      <Comments task={task} viewer={viewer} rights={rights} />
      <History task={task} viewer={viewer} />
      {edit.conflict !== undefined && (
        <ConflictDialog conflict={edit.conflict} viewer={viewer} onKeep={edit.keepMine} onTake={edit.takeTheirs} />
      )}
    </div>
  );
}

function Missing({ error }: { error: unknown }) {
  if (error instanceof TaskFlowError && error.code === 'NOT_FOUND')
    return (
      <Empty icon="trash" title="This task is gone">
        <p>It was deleted, or it is not yours to see.</p>
      </Empty>
    );
  return error === null || error === undefined ? <Loading rows={7} /> : <ErrorNotice error={error} />;
}

export function TaskPanel({ taskId, viewer, onClose }: PanelProps) {
  const { task, error } = useTask(taskId);
  const rights = useRights(task);
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside
      className="panel"
      ref={ref}
      tabIndex={-1}
      aria-label={task === undefined ? 'Task' : `Task: ${task.title}`}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <PanelHead task={task} rights={rights} onClose={onClose} />
      {task === undefined || rights === undefined ? (
        <Missing error={error} />
      ) : (
        <PanelBody task={task} viewer={viewer} rights={rights} />
      )}
    </aside>
  );
}
