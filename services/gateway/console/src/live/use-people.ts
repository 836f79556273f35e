import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { pagesOf } from '#client/index';
import { api } from '../api.ts';
import { useTasks } from './use-tasks.ts';

export interface Person {
  id: string;
  name: string;
}

const inOrder = (people: ReadonlyMap<string, string>): readonly Person[] =>
  [...people].map(([id, name]) => ({ id, name })).toSorted((a, b) => a.name.localeCompare(b.name));

/** Everybody whom the person's tasks name. */
function usePeopleOfTasks(): readonly Person[] {
  const { tasks } = useTasks();
  return useMemo(() => {
    const people = new Map<string, string>();
    for (const { ownerId, ownerName, assigneeId, assigneeName } of tasks.values()) {
      if (ownerName !== '') people.set(ownerId, ownerName);
      if (assigneeName !== '') people.set(assigneeId, assigneeName);
    }
    return inOrder(people);
  }, [tasks]);
}

/** The members of a project; undefined while they are not known. */
function useMembers(projectId: string): readonly Person[] | undefined {
  const { data } = useQuery({
    queryKey: ['projects', 'people', projectId],
    queryFn: async ({ signal }) => {
      const members = new Map<string, string>();
      for await (const page of pagesOf(api.projects.listMembers, { projectId, pageSize: 500 }, { signal }))
        for (const { userId, userName } of page.members) if (userName !== '') members.set(userId, userName);
      return inOrder(members);
    },
    enabled: projectId !== '',
  });
  return data;
}

/** Who can be given a task: in a project its members, elsewhere whom the person works with already. */
export function usePeople(projectId: string): readonly Person[] {
  const ofTasks = usePeopleOfTasks();
  const members = useMembers(projectId);
  return members ?? ofTasks;
}

/** What somebody who did something is called: "You", a name, or "TaskFlow" for the services themselves. */
export function useNameOf(viewerId: string, projectId: string): (personId: string) => string {
  const ofTasks = usePeopleOfTasks();
  const members = useMembers(projectId);
  return (personId) => {
    if (personId === viewerId) return 'You';
    if (personId.startsWith('service:')) return 'TaskFlow';
    return [...(members ?? []), ...ofTasks].find(({ id }) => id === personId)?.name ?? 'Somebody';
  };
}
