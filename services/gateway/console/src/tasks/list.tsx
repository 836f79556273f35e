import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import type { Task } from '#client/tasks';
import { dueGroupOf } from './due.ts';
import type { Sorting, Viewer } from './filters.ts';
import { Row, type RowActions } from './row.tsx';
import { useListKeys } from './use-list-keys.ts';

type Line = { kind: 'group'; title: string; count: number } | { kind: 'task'; task: Task };

/** The tasks with the titles of their groups between them, when they are in the order of their due times. */
function toLines(tasks: readonly Task[], sort: Sorting, viewer: Viewer): Line[] {
  if (sort !== 'due') return tasks.map((task) => ({ kind: 'task', task }));
  const lines: Line[] = [];
  let group: Extract<Line, { kind: 'group' }> | undefined;
  for (const task of tasks) {
    const title = dueGroupOf(task, viewer);
    if (group?.title !== title) {
      group = { kind: 'group', title, count: 0 };
      lines.push(group);
    }
    group.count += 1;
    lines.push({ kind: 'task', task });
  }
  return lines;
}

interface ListProps extends RowActions {
  tasks: readonly Task[];
  sort: Sorting;
  viewer: Viewer;
  selection: ReadonlySet<string>;
  openId: string | null;
}

function GroupTitle({ title, count }: { title: string; count: number }) {
  return (
    <h2 className="task-group">
      {title} <span className="faint">{count}</span>
    </h2>
  );
}

interface LineProps extends Omit<ListProps, 'tasks' | 'sort'> {
  line: Line;
  /** Where it stands, of how many lines. */
  place: object;
  active: string | undefined;
}

function LineView({ line, place, active, selection, openId, ...rest }: LineProps) {
  if (line.kind === 'group')
    return (
      <div className="task-line" role="listitem" {...place}>
        <GroupTitle {...line} />
      </div>
    );
  const { task } = line;
  return (
    <div className="task-line" role="listitem" data-line={task.id} {...place}>
      <Row
        task={task}
        active={task.id === active}
        selected={selection.has(task.id)}
        open={task.id === openId}
        {...rest}
      />
    </div>
  );
}

/** Only the rows that can be seen exist, so that thousands cost no more than a screenful. */
export function TaskList({ tasks, sort, viewer, selection, openId, ...actions }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState<string>();
  const lines = useMemo(() => toLines(tasks, sort, viewer), [tasks, sort, viewer]);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (lines[index]?.kind === 'group' ? 46 : 44),
    getItemKey: (index) => {
      const line = lines[index];
      return line?.kind === 'task' ? line.task.id : `group ${line?.title}`;
    },
    overscan: 12,
  });
  const known = tasks.some(({ id }) => id === activeId);
  const active = known ? activeId : tasks[0]?.id;
  const goTo = (id: string): void => {
    setActiveId(id);
    const index = lines.findIndex((line) => line.kind === 'task' && line.task.id === id);
    rows.scrollToIndex(index);
  };
  const onKeyDown = useListKeys({ tasks, active, goTo, scroller, ...actions });
  return (
    <div className="task-scroller" ref={scroller}>
      <div
        className="task-list"
        role="list"
        aria-label="Tasks"
        style={{ height: rows.getTotalSize() }}
        onKeyDown={onKeyDown}
        onFocus={({ target }) => {
          const id = (target as HTMLElement).closest('[data-line]')?.getAttribute('data-line');
          if (id !== null && id !== undefined && id !== '') setActiveId(id);
        }}
      >
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const line = lines[index];
          if (line === undefined) return null;
          const place = {
            ref: rows.measureElement,
            'data-index': index,
            'aria-setsize': lines.length,
            'aria-posinset': index + 1,
            style: { translate: `0 ${start}px` },
          };
          return (
            <LineView key={key} line={line} place={place} {...{ viewer, active, selection, openId }} {...actions} />
          );
        })}
      </div>
    </div>
  );
}
