import { ProjectRole, type Project, type Task } from '#client/tasks';

/** What somebody may do with a task, as the service will see it. */
export interface TaskRights {
  write: boolean;
  status: boolean;
  comment: boolean;
  /** Deletes comments of others. */
  moderate: boolean;
  /** Why it is not all. */
  why: string | undefined;
}

type Placed = Pick<Task, 'ownerId' | 'assigneeId' | 'projectId'>;

interface Person {
  id: string;
  isAdmin: boolean;
}

const none: TaskRights = { write: false, status: false, comment: false, moderate: false, why: undefined };
const all: TaskRights = { write: true, status: true, comment: true, moderate: true, why: undefined };

function inProject(
  task: Placed,
  person: Person,
  { role, archiveTime }: Pick<Project, 'role' | 'archiveTime'>,
): TaskRights {
  if (archiveTime !== undefined) return { ...none, why: 'The project is archived: it can be seen, not changed.' };
  if (person.isAdmin) return all;
  const write = role >= ProjectRole.EDITOR;
  return {
    write,
    status: write || task.assigneeId === person.id,
    comment: role >= ProjectRole.COMMENTER,
    moderate: role >= ProjectRole.MANAGER,
    why: write ? undefined : 'Your role in the project does not allow more.',
  };
}

/** `project`: the one that the task stands in; undefined while it is not known, when nothing may be done. */
export function rightsOn(task: Placed, person: Person, project: Project | undefined): TaskRights {
  if (task.projectId !== '') return project === undefined ? none : inProject(task, person, project);
  if (person.isAdmin || task.ownerId === person.id) return all;
  const isAssignee = task.assigneeId === person.id;
  return {
    ...none,
    status: isAssignee,
    comment: isAssignee,
    why: 'Only the owner may change more than the status.',
  };
}

/** Whether the person has tasks to write in the project. */
export const mayWriteIn = (project: Pick<Project, 'role' | 'archiveTime'>, person: Person): boolean =>
  inProject({ ownerId: '', assigneeId: '', projectId: '' }, person, project).write;
