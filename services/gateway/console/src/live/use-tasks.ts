import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import type { Task } from '#client/tasks';
import { api } from '../api.ts';
import { followNotifications } from './notifications.ts';
import { TaskStore, type TasksSnapshot } from './task-store.ts';

export const taskStore = new TaskStore(api.tasks);

export const useTasks = (): TasksSnapshot => useSyncExternalStore(taskStore.subscribe, taskStore.get);

/** A project has its tasks whoever they are of; the person's own list has what is theirs to do or to see done. */
export const isMine = ({ ownerId, assigneeId }: Task, personId: string): boolean =>
  ownerId === personId || assigneeId === personId;

/** The labels in use, the most frequent first. */
export function useLabels(): readonly string[] {
  const { tasks } = useTasks();
  return useMemo(() => {
    const counts = new Map<string, number>();
    for (const { labels } of tasks.values())
      for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts].toSorted((a, b) => b[1] - a[1]).map(([label]) => label);
  }, [tasks]);
}

function refresh(queryClient: QueryClient, ...keys: unknown[][]): void {
  for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
}

/** Keeps tasks and inbox up to date for as long as somebody is signed in. */
export function useLive(): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const stopTasks = taskStore.start({
      onComment: (taskId) => {
        const of = taskId === undefined ? [] : [taskId];
        refresh(queryClient, ['comments', ...of], ['history', ...of]);
      },
      onProject: () => refresh(queryClient, ['projects']),
    });
    const stopInbox = followNotifications(api.notifications, () => refresh(queryClient, ['inbox']));
    return () => {
      stopTasks();
      stopInbox();
    };
  }, [queryClient]);
}
