import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { api } from '../api.ts';
import { followNotifications } from './notifications.ts';
import { TaskStore, type TasksSnapshot } from './task-store.ts';

export const taskStore = new TaskStore(api.tasks);

export const useTasks = (): TasksSnapshot => useSyncExternalStore(taskStore.subscribe, taskStore.get);

export interface Person {
  id: string;
  name: string;
}

/** Everybody whom the person's tasks name, for pickers. */
export function usePeople(): readonly Person[] {
  const { tasks } = useTasks();
  return useMemo(() => {
    const people = new Map<string, string>();
    for (const { ownerId, ownerName, assigneeId, assigneeName } of tasks.values()) {
      if (ownerName !== '') people.set(ownerId, ownerName);
      if (assigneeName !== '') people.set(assigneeId, assigneeName);
    }
    return [...people].map(([id, name]) => ({ id, name })).toSorted((a, b) => a.name.localeCompare(b.name));
  }, [tasks]);
}

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

function refreshInbox(queryClient: QueryClient): void {
  void queryClient.invalidateQueries({ queryKey: ['inbox'] });
}

/** Keeps tasks and inbox up to date for as long as somebody is signed in. */
export function useLive(): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const stopTasks = taskStore.start();
    const stopInbox = followNotifications(api.notifications, () => refreshInbox(queryClient));
    return () => {
      stopTasks();
      stopInbox();
    };
  }, [queryClient]);
}
