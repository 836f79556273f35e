import { useEffect, useRef, type KeyboardEvent, type RefObject } from 'react';
import type { Task } from '#client/tasks';
import type { RowActions } from './row.tsx';

interface ListKeys extends RowActions {
  tasks: readonly Task[];
  active: string | undefined;
  goTo: (id: string) => void;
  scroller: RefObject<HTMLElement | null>;
}

const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 12,
  PageUp: -12,
  Home: -Infinity,
  End: Infinity,
};

/** Moves through a list by arrows (or j and k), selects by x, completes by c. Enter opens, as with any link. */
export function useListKeys({ tasks, active, goTo, scroller, onSelect, onToggleDone }: ListKeys) {
  const wanted = useRef<string>(undefined);
  // The row may only come to be after it has been scrolled to.
  useEffect(() => {
    if (wanted.current === undefined) return;
    const link = scroller.current?.querySelector<HTMLElement>(`[data-task="${wanted.current}"]`);
    if (link === null || link === undefined) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });
  return (event: KeyboardEvent): void => {
    const index = tasks.findIndex(({ id }) => id === active);
    const task = tasks[index];
    if (task === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key];
    if (step !== undefined) {
      const next = tasks[Math.max(0, Math.min(tasks.length - 1, index + step))];
      event.preventDefault();
      if (next === undefined) return;
      wanted.current = next.id;
      return goTo(next.id);
    }
    if (event.key === 'x') onSelect(task, event.shiftKey);
    else if (event.key === 'c') onToggleDone(task);
  };
}
