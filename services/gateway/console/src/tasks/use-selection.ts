import { useCallback, useRef, useState } from 'react';
import type { Task } from '#client/tasks';

export interface Selection {
  ids: ReadonlySet<string>;
  toggle: (task: Task, range: boolean) => void;
  set: (ids: Iterable<string>) => void;
  clear: () => void;
}

/** Which tasks of a list are selected. With Shift, all between the last one and this. */
export function useSelection(tasks: readonly Task[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string>(undefined);
  const order = useRef(tasks);
  order.current = tasks;
  const toggle = useCallback((task: Task, range: boolean) => {
    const from = order.current.findIndex(({ id }) => id === last.current);
    const to = order.current.findIndex(({ id }) => id === task.id);
    last.current = task.id;
    setIds((before) => {
      const next = new Set(before);
      if (range && from >= 0) {
        for (const { id } of order.current.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(id);
      } else if (!next.delete(task.id)) next.add(task.id);
      return next;
    });
  }, []);
  const set = useCallback((chosen: Iterable<string>) => setIds(new Set(chosen)), []);
  const clear = useCallback(() => setIds(new Set()), []);
  return { ids, toggle, set, clear };
}
