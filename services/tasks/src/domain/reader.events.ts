import type { StoredEvent } from '#libs/events';
import type { ReaderEvent } from '#contract/tasks/v1/readers';
import { isProjectEvent, toProjectEventMessage } from './project.events.ts';
import type { Person } from './task-access.ts';
import { isTaskEvent, toTaskEventOf } from './task.events.ts';

/** A person who reads what concerns them, or what happens in one project. */
export interface Reader {
  userId: string;
  /** '' = what concerns the person. */
  projectId: string;
}

/** The event as the reader may see it; undefined for what later releases write. */
export function toReaderEvent(reader: Reader, stored: StoredEvent): ReaderEvent | undefined {
  if (isProjectEvent(stored)) return toProjectReaderEvent(reader, stored);
  if (!isTaskEvent(stored)) return undefined;
  const person: Person = { userId: reader.userId, role: 'user' };
  const { event, removed } = toTaskEventOf(person, stored);
  return { event: { $case: 'task', value: event }, removed, projectId: '' };
}

/** What happens to the person as a member is theirs to know, when they have left as well. */
function toProjectReaderEvent({ userId, projectId }: Reader, stored: StoredEvent): ReaderEvent {
  const isOwn = projectId === '' && stored.subjectId === userId;
  return {
    event: { $case: 'project', value: toProjectEventMessage(stored) },
    removed: false,
    projectId: isOwn ? '' : stored.streamId,
  };
}
