import { useQuery } from '@tanstack/react-query';
import { pagesOf } from '#client/index';
import { api } from '../api.ts';
import { useTasks } from './use-tasks.ts';

export interface Person {
  id: string;
  name: string;
}

const inOrder = (people: ReadonlyMap<string, string>): readonly Person[] =>
  [...people].map(([id, name]) => ({ id, name })).toSorted((a, b) => a.name.localeCompare(b.name));

type Tasks = ReturnType<typeof useTasks>['tasks'];

/** Views that ask at once share one look at all tasks. */
const found = new WeakMap<Tasks, readonly Person[]>();

function findPeople(tasks: Tasks): readonly Person[] {
  const known = found.get(tasks);
  if (known !== undefined) return known;
  const names = new Map<string, string>();
  for (const { ownerId, ownerName, assigneeId, assigneeName } of tasks.values()) {
    if (ownerName !== '') names.set(ownerId, ownerName);
    if (assigneeName !== '') names.set(assigneeId, assigneeName);
  }
  const people = inOrder(names);
  found.set(tasks, people);
  return people;
}

/** Everybody whom the person's tasks name. */
const usePeopleOfTasks = (): readonly Person[] => findPeople(useTasks().tasks);

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
