import { memo } from 'react';
import { Link } from 'wouter';
import { TaskStatus, type Task } from '#client/tasks';
import { Avatar } from '../ui/avatar.tsx';
import type { Viewer } from './filters.ts';
import { DueLabel, PrioritySign, StatusSign } from './signs.tsx';
import { isOpen } from './words.ts';

export interface RowActions {
  hrefOf: (taskId: string) => string;
  onToggleDone: (task: Task) => void;
  onSelect: (task: Task, range: boolean) => void;
  /** Whether the viewer may change none of the tasks. */
  readOnly: boolean;
}

interface RowProps extends RowActions {
  task: Task;
  viewer: Viewer;
  /** Of the list, the one that Tab leads to. */
  active: boolean;
  selected: boolean;
  open: boolean;
}

/** Who has it to do; where that is the viewer, who gave it to them. Of a task of the viewer's alone, nobody. */
function Person({ task, viewer }: Pick<RowProps, 'task' | 'viewer'>) {
  const { assigneeId, assigneeName, ownerId, ownerName, projectId } = task;
  const isOthers = assigneeId !== '' && assigneeId !== viewer.id;
  if (isOthers) return <PersonSign id={assigneeId} name={assigneeName} relation="assigned to" />;
  if (projectId !== '')
    return assigneeId === '' ? null : <PersonSign id={assigneeId} name={assigneeName} relation="assigned to" />;
  return ownerId === viewer.id ? null : <PersonSign id={ownerId} name={ownerName} relation="from" />;
}

interface PersonSignProps {
  id: string;
  name: string;
  relation: string;
}

function PersonSign({ id, name, relation }: PersonSignProps) {
  const words = `${relation} ${name || 'somebody'}`;
  return (
    <span className="task-person" title={words}>
      <Avatar id={id} name={name} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}

export const Row = memo(function Row(props: RowProps) {
  const { task, viewer, active, selected, open, hrefOf, onToggleDone, onSelect, readOnly } = props;
  const done = !isOpen(task.status);
  const tab = active ? 0 : -1;
  return (
    <div className={`task-row${selected ? ' selected' : ''}${open ? ' open' : ''}${done ? ' done' : ''}`}>
      {!readOnly && (
        <input
          type="checkbox"
          className="task-select"
          checked={selected}
          tabIndex={tab}
          aria-label={`Select ${task.title}`}
          onChange={() => undefined}
          onClick={(event) => onSelect(task, event.shiftKey)}
        />
      )}
      <button
        type="button"
        className="task-toggle"
        tabIndex={tab}
        disabled={readOnly}
        aria-label={task.status === TaskStatus.COMPLETED ? `Reopen ${task.title}` : `Complete ${task.title}`}
        onClick={() => onToggleDone(task)}
      >
        <StatusSign status={task.status} />
      </button>
      <Link href={hrefOf(task.id)} className="task-title" tabIndex={tab} data-task={task.id} replace={open}>
        {task.key !== '' && <span className="task-key">{task.key}</span>}
        <span className="task-name">{task.title}</span>
        <span className="task-labels">
          {task.labels.map((label) => (
            <span key={label} className="badge">
              {label}
            </span>
          ))}
        </span>
      </Link>
      <span className="task-facts">
        <DueLabel task={task} viewer={viewer} />
        <Person task={task} viewer={viewer} />
        <PrioritySign priority={task.priority} />
      </span>
    </div>
  );
});
