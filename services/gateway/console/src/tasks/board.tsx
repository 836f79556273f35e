import { useState, type DragEvent, type KeyboardEvent } from 'react';
import { Link } from 'wouter';
import type { Task, TaskStatus } from '#client/tasks';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Menu } from '../ui/menu.tsx';
import { showToast } from '../ui/toast.tsx';
import { changeTask } from './actions.ts';
import type { Viewer } from './filters.ts';
import { reportFailure } from './report-failure.ts';
import { DueLabel, PrioritySign, StatusSign } from './signs.tsx';
import { statusLabel, statuses } from './words.ts';

/** More of a column are shown when asked for. */
const pageSize = 60;
const dragType = 'application/x-taskflow-task';

function move(task: Task, status: TaskStatus): void {
  if (task.status === status) return;
  changeTask(task, { status })
    .then((changed) =>
      showToast(`“${task.title}” is now ${statusLabel(status).toLowerCase()}`, {
        label: 'Undo',
        run: () => void changeTask(changed, { status: task.status }).catch(reportFailure),
      }),
    )
    .catch(reportFailure);
}

/** The column beside that of a task. */
function neighbour(task: Task, step: number): TaskStatus | undefined {
  const index = statuses.findIndex(({ value }) => value === task.status);
  return statuses[index + step]?.value;
}

interface CardProps {
  task: Task;
  viewer: Viewer;
  href: string;
  open: boolean;
  /** Whether the viewer may move none of the tasks. */
  readOnly: boolean;
}

function MoveMenu({ task }: { task: Task }) {
  return (
    <Menu
      align="end"
      trigger={<IconButton icon="more" label={`Move ${task.title}`} compact />}
      groups={[
        {
          title: 'Move to',
          entries: statuses.map(({ value, label }) => ({
            label,
            sign: <StatusSign status={value} size={16} />,
            checked: value === task.status,
            onChoose: () => move(task, value),
          })),
        },
      ]}
    />
  );
}

function Card({ task, viewer, href, open, readOnly }: CardProps) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (readOnly || !event.altKey || step === undefined) return;
    event.preventDefault();
    const status = neighbour(task, step);
    if (status !== undefined) move(task, status);
  };
  const person = task.assigneeId === '' ? undefined : task.assigneeName;
  return (
    <div
      className={`card${open ? ' open' : ''}`}
      role="listitem"
      draggable={!readOnly}
      onKeyDown={onKeyDown}
      onDragStart={(event) => {
        event.dataTransfer.setData(dragType, task.id);
        event.dataTransfer.effectAllowed = 'move';
      }}
    >
      <div className="card-head">
        <Link
          href={href}
          className="card-title"
          aria-description={readOnly ? undefined : 'Alt and an arrow move it to another column'}
        >
          {task.key !== '' && <span className="task-key">{task.key} </span>}
          {task.title}
        </Link>
        {!readOnly && <MoveMenu task={task} />}
      </div>
      <div className="card-facts">
        <PrioritySign priority={task.priority} />
        <DueLabel task={task} viewer={viewer} />
        {task.labels.map((label) => (
          <span key={label} className="badge">
            {label}
          </span>
        ))}
        {person !== undefined && (
          <span className="card-person">
            <Avatar id={task.assigneeId} name={person} />
            <span className="visually-hidden">assigned to {person}</span>
          </span>
        )}
      </div>
    </div>
  );
}

interface BoardProps {
  tasks: readonly Task[];
  viewer: Viewer;
  openId: string | null;
  hrefOf: (taskId: string) => string;
  readOnly: boolean;
}

interface ColumnProps extends Omit<BoardProps, 'tasks'> {
  status: (typeof statuses)[number];
  tasks: readonly Task[];
  onDropped: (taskId: string) => void;
}

function Column({ status, tasks, viewer, openId, hrefOf, readOnly, onDropped }: ColumnProps) {
  const [shown, setShown] = useState(pageSize);
  const [over, setOver] = useState(false);
  const isTask = (event: DragEvent): boolean => event.dataTransfer.types.includes(dragType);
  return (
    <section
      className={`column${over ? ' over' : ''}`}
      aria-label={status.label}
      onDragOver={(event) => {
        if (!isTask(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        if (!isTask(event)) return;
        event.preventDefault();
        onDropped(event.dataTransfer.getData(dragType));
      }}
    >
      <h2 className="column-title">
        <StatusSign status={status.value} /> {status.label} <span className="faint">{tasks.length}</span>
      </h2>
      <div className="column-cards" tabIndex={-1}>
        {tasks.length === 0 ? (
          <p className="column-empty">Nothing here</p>
        ) : (
          <div className="column-list" role="list" aria-label={status.label}>
            {tasks.slice(0, shown).map((task) => (
              <Card key={task.id} href={hrefOf(task.id)} open={task.id === openId} {...{ task, viewer, readOnly }} />
            ))}
          </div>
        )}
        {tasks.length > shown && (
          <Button look="quiet" onClick={() => setShown(shown + pageSize)}>
            Show {Math.min(pageSize, tasks.length - shown)} more
          </Button>
        )}
      </div>
    </section>
  );
}

export function Board({ tasks, ...rest }: BoardProps) {
  return (
    <div className="board">
      {statuses.map((status) => (
        <Column
          key={status.key}
          status={status}
          tasks={tasks.filter((task) => task.status === status.value)}
          {...rest}
          onDropped={(taskId) => {
            const task = tasks.find(({ id }) => id === taskId);
            if (task !== undefined) move(task, status.value);
          }}
        />
      ))}
    </div>
  );
}
