import type { StoredEvent } from '#libs/events';
import type { ReaderEvent } from '#contract/tasks/v1/readers';
import type { Task, TaskEvent } from '#contract/tasks/v1/tasks';
import { isProjectEvent, toProjectEventMessage } from './project.events.ts';
import type { Person } from './person.ts';
import { concerns } from './task-audience.ts';
import { isTaskEvent, showStates, toTaskEvent, toTaskEventFor, toTaskEventOf, type Follower } from './task.events.ts';

/** A person who reads what concerns them, or what happens in one project. */
export interface Reader {
  userId: string;
  /** '' = what concerns the person. */
  projectId: string;
}

/**
 * The event as the reader may see it, who may see these projects. Undefined for what later releases write, and where the
 * reader may see nothing of it, unless it says that the task is no longer theirs: whoever left a project does not hear
 * when its tasks are changed.
 */
export function toReaderEvent(
  reader: Reader,
  projects: Follower['projects'],
  stored: StoredEvent,
): ReaderEvent | undefined {
  if (isProjectEvent(stored)) return toProjectReaderEvent(reader, stored);
  if (!isTaskEvent(stored)) return undefined;
  const { event, removed } = toTaskReaderEvent(reader, projects, stored);
  const projectIds = shownProjects(event);
  if (projectIds === undefined && !endsFor(reader, stored)) return undefined;
  const [projectId = '', otherProjectId = ''] = projectIds ?? [];
  return { event: { $case: 'task', value: event }, removed, projectId, otherProjectId };
}

/** Where the task stands that the event shows, and where else it stood; undefined when it shows none. */
function shownProjects({ change }: TaskEvent): string[] | undefined {
  const states = [change?.after, change?.before].filter((task) => task !== undefined);
  return states.length === 0 ? undefined : [...new Set(states.map(({ projectId }) => projectId))];
}

function endsFor({ userId }: Reader, stored: StoredEvent): boolean {
  const { change } = toTaskEvent(stored);
  return concerns(change?.before, userId) && !concerns(change?.after, userId);
}

/** Of a project, only what the task is in it: what it was elsewhere, or becomes, is for those who see that. */
function toTaskReaderEvent(
  { userId, projectId }: Reader,
  projects: Follower['projects'],
  stored: StoredEvent,
): { event: TaskEvent; removed: boolean } {
  const person: Person = { userId, role: 'user' };
  if (projectId === '') return toTaskEventOf({ person, scope: 'own', projects }, stored);
  const isIn = (task: Task): boolean => task.projectId === projectId;
  return showStates(toTaskEventFor(person, stored), { before: isIn, after: isIn });
}

/** What happens to the person as a member is theirs to know, when they have left as well. */
function toProjectReaderEvent({ userId, projectId }: Reader, stored: StoredEvent): ReaderEvent {
  const isOwn = projectId === '' && stored.subjectId === userId;
  return {
    event: { $case: 'project', value: toProjectEventMessage(stored) },
    removed: false,
    projectId: isOwn ? '' : stored.streamId,
    otherProjectId: '',
  };
}
