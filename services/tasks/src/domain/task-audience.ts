import { ProjectChange } from '#contract/tasks/v1/projects';
import { TaskChange } from '#contract/tasks/v1/tasks';

interface PeopleOfTask {
  ownerId: string;
  assigneeId: string;
}

/** A task before and after a change. */
interface ChangedTask {
  before?: (PeopleOfTask & { projectId: string }) | undefined;
  after?: (PeopleOfTask & { projectId: string }) | undefined;
}

export function concerns(task: PeopleOfTask | undefined, userId: string): boolean {
  return task !== undefined && (task.ownerId === userId || task.assigneeId === userId);
}

const withoutRepetition = (ids: readonly (string | undefined)[]): string[] =>
  [...new Set(ids)].filter((id): id is string => id !== undefined && id !== '');

/**
 * The project, once for all of its members, owner and assignee, each before and after the change, so that those whom the
 * task leaves hear of it as well.
 */
export function audienceOf({ before, after }: ChangedTask): string[] {
  return withoutRepetition([before, after].flatMap((task) => [task?.projectId, task?.ownerId, task?.assigneeId]));
}

/** The project, once for all of its members, and whoever joins, changes or goes. */
export function audienceOfProject({ projectId, memberBefore, memberAfter }: ProjectChange): string[] {
  return withoutRepetition([projectId, memberBefore?.userId, memberAfter?.userId]);
}

const projectsOf = ({ before, after }: ChangedTask): string[] =>
  withoutRepetition([before?.projectId, after?.projectId]);

/** The projects of a stored event's audience, which many people may read. */
export function projectsOfPayload(payload: Uint8Array): string[] {
  const project = ProjectChange.decode(payload);
  return project.projectId === '' ? projectsOf(TaskChange.decode(payload)) : [project.projectId];
}

/** The whole audience of a stored event. Neither kind of payload holds a field of the other. */
export function audienceOfPayload(payload: Uint8Array): string[] {
  const project = ProjectChange.decode(payload);
  return project.projectId === '' ? audienceOf(TaskChange.decode(payload)) : audienceOfProject(project);
}
