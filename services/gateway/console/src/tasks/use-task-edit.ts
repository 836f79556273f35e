import { useCallback, useState } from 'react';
import type { Task } from '#client/tasks';
import { changeTask, TaskConflict, type TaskChange } from './actions.ts';

export interface TaskEdit {
  error: unknown;
  conflict: TaskConflict | undefined;
  /** Changes fields as of `base`, the version that the person saw when they began. Resolves when it is settled. */
  save: (base: Task, change: TaskChange, assigneeEmail?: string) => Promise<void>;
  keepMine: () => void;
  takeTheirs: () => void;
}

/** Saves what is edited in place, and holds what went wrong with it. */
export function useTaskEdit(): TaskEdit {
  const [error, setError] = useState<unknown>();
  const [conflict, setConflict] = useState<TaskConflict>();
  const save = useCallback(async (base: Task, change: TaskChange, assigneeEmail?: string): Promise<void> => {
    setError(undefined);
    try {
      await changeTask(base, change, assigneeEmail);
    } catch (failure) {
      if (failure instanceof TaskConflict) setConflict(failure);
      else setError(failure);
    }
  }, []);
  const keepMine = useCallback(() => {
    if (conflict === undefined) return;
    setConflict(undefined);
    void save(conflict.current, conflict.change);
  }, [conflict, save]);
  const takeTheirs = useCallback(() => setConflict(undefined), []);
  return { error, conflict, save, keepMine, takeTheirs };
}
