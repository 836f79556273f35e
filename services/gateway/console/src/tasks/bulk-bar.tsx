import { useState } from 'react';
import { TaskPriority, TaskStatus, type Task } from '#client/tasks';
import { Button, IconButton } from '../ui/button.tsx';
import { Menu } from '../ui/menu.tsx';
import { showToast } from '../ui/toast.tsx';
import { changeTasks, deleteTasks, undeleteTasks, type BulkOutcome, type TaskChange } from './actions.ts';
import { addDays } from './days.ts';
import { toDue } from './due.ts';
import type { Viewer } from './filters.ts';
import { reportFailure } from './report-failure.ts';
import { PrioritySign, StatusSign } from './signs.tsx';
import type { Selection } from './use-selection.ts';
import { priorities, statuses } from './words.ts';

const count = (number: number): string => `${number} ${number === 1 ? 'task' : 'tasks'}`;

/** The fields of a task that a change is about, as they were. */
function before(task: Task, change: TaskChange): TaskChange {
  const names = Object.keys(change) as (keyof TaskChange)[];
  return Object.fromEntries(names.map((name) => [name, task[name]]));
}

function report(done: string, { changed, failed }: BulkOutcome, undo: () => void): void {
  const failures = failed.length === 0 ? '' : `; ${count(failed.length)} could not be changed`;
  const words = `${done}${failures}`;
  if (changed.length === 0) showToast(words);
  else showToast(words, { label: 'Undo', run: undo });
}

async function change(tasks: readonly Task[], toChange: (task: Task) => TaskChange, done: string): Promise<void> {
  const outcome = await changeTasks(tasks.map((task) => ({ task, change: toChange(task) })));
  const changed = new Set(outcome.changed.map(({ id }) => id));
  const back = tasks
    .filter(({ id }) => changed.has(id))
    .map((task) => ({ task, change: before(task, toChange(task)) }));
  report(`${count(changed.size)} ${done}`, outcome, () => void changeTasks(back).catch(reportFailure));
}

async function remove(tasks: readonly Task[]): Promise<void> {
  const { failed } = await deleteTasks(tasks);
  const outcome = { changed: failed.length === tasks.length ? [] : [...tasks], failed };
  report(`${count(tasks.length - failed.length)} deleted`, outcome, () => void undeleteTasks(tasks).catch(reportFailure));
}

const label = {
  [TaskStatus.COMPLETED]: 'done',
  [TaskStatus.PENDING]: 'to do again',
  [TaskStatus.IN_PROGRESS]: 'in progress',
  [TaskStatus.CANCELLED]: 'cancelled',
  [TaskStatus.UNSPECIFIED]: 'changed',
};

function dueEntries({ today, timeZone }: Viewer, run: (change: TaskChange, done: string) => void) {
  const days = [
    { label: 'Today', day: today },
    { label: 'Tomorrow', day: addDays(today, 1) },
    { label: 'In a week', day: addDays(today, 7) },
  ];
  return [
    ...days.map(({ label: words, day }) => ({
      label: words,
      onChoose: () => run({ due: toDue(day, undefined, timeZone) }, `due ${words.toLowerCase()}`),
    })),
    { label: 'No due date', onChoose: () => run({ due: { case: undefined } }, 'without a due date') },
  ];
}

interface BulkBarProps {
  tasks: readonly Task[];
  selection: Selection;
  viewer: Viewer;
}

/** What can be done with all that is selected at once, and undone. */
export function BulkBar({ tasks, selection, viewer }: BulkBarProps) {
  const [busy, setBusy] = useState(false);
  const chosen = tasks.filter(({ id }) => selection.ids.has(id));
  if (chosen.length === 0) return null;
  const carryOut = (work: Promise<void>): void => {
    setBusy(true);
    work
      .then(selection.clear)
      .catch(reportFailure)
      .finally(() => setBusy(false));
  };
  const run = (what: TaskChange, done: string): void => carryOut(change(chosen, () => what, done));
  return (
    <div className="bulk-bar" role="toolbar" aria-label={`${count(chosen.length)} selected`}>
      <strong>{chosen.length} selected</strong>
      <Button compact icon="check" busy={busy} onClick={() => run({ status: TaskStatus.COMPLETED }, 'done')}>
        Done
      </Button>
      <Menu
        trigger={<Button compact>Status</Button>}
        groups={[
          {
            entries: statuses.map(({ value, label: words }) => ({
              label: words,
              sign: <StatusSign status={value} size={16} />,
              onChoose: () => run({ status: value }, label[value]),
            })),
          },
        ]}
      />
      <Menu
        trigger={<Button compact>Priority</Button>}
        groups={[
          {
            entries: priorities.map(({ value, label: words }) => ({
              label: words,
              sign: <PrioritySign priority={value} />,
              onChoose: () => run({ priority: value }, `of ${TaskPriority[value].toLowerCase()} priority`),
            })),
          },
        ]}
      />
      <Menu trigger={<Button compact>Due</Button>} groups={[{ entries: dueEntries(viewer, run) }]} />
      <Button compact look="danger" icon="trash" onClick={() => carryOut(remove(chosen))}>
        Delete
      </Button>
      <span className="bulk-end">
        {chosen.length < tasks.length && (
          <Button compact look="quiet" onClick={() => selection.set(tasks.map(({ id }) => id))}>
            Select all {tasks.length}
          </Button>
        )}
        <IconButton icon="close" label="Select nothing" compact onClick={selection.clear} />
      </span>
    </div>
  );
}
