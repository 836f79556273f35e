import type { Position } from '#libs/events';
import type { FindReaderPositionResponse, PullReaderEventsResponse } from '#contract/tasks/v1/readers';
import type { TasksDeps } from '../deps.ts';
import { logRestored } from '../domain/feed.errors.ts';
import { requireInProject } from '../domain/project-access.ts';
import { toReaderEvent, type Reader } from '../domain/reader.events.ts';
import { withTextsForReader } from './comments/with-texts.ts';

type Deps = Pick<TasksDeps, 'partFeed' | 'projectReader'>;
type PullDeps = Deps & Pick<TasksDeps, 'commentReader'>;

export interface FindReaderPositionInput {
  reader: Reader;
  /** Undefined: the end of the log. */
  start: { event: Position } | { time: Date } | undefined;
}

export async function findReaderPosition(
  deps: Deps,
  { reader, start }: FindReaderPositionInput,
): Promise<FindReaderPositionResponse> {
  const position = await findPosition(deps, start);
  return { position, projectIds: await projectsOf(deps, reader) };
}

async function findPosition({ partFeed }: Deps, start: FindReaderPositionInput['start']): Promise<Position> {
  if (start === undefined) return partFeed.end();
  if ('time' in start) return partFeed.before(start.time);
  const position = await partFeed.beforeEvent(start.event);
  if (position === undefined) throw logRestored();
  return position;
}

export interface PullReaderEventsInput {
  reader: Reader;
  after: Position;
  limit: number;
}

export async function pullReaderEvents(
  deps: PullDeps,
  { reader, after, limit }: PullReaderEventsInput,
): Promise<PullReaderEventsResponse> {
  const partId = reader.projectId === '' ? reader.userId : reader.projectId;
  const { events, ...place } = await deps.partFeed.read(partId, after, limit);
  // After the events: who may be told now could be told when they were read.
  const projectIds = await projectsOf(deps, reader);
  const projects = new Map(projectIds.map((id) => [id, undefined]));
  const seen = events.flatMap((event) => toReaderEvent(reader, projects, event) ?? []);
  return { events: await withTextsForReader(deps, seen), ...place, projectIds };
}

/** A deleted project as well, so that its managers are told that it is deleted, and that it is back. */
async function projectsOf({ projectReader }: Deps, { userId, projectId }: Reader): Promise<string[]> {
  if (projectId === '') return projectReader.membershipsOf(userId);
  const role = await projectReader.roleOf(projectId, userId);
  requireInProject({ userId, role: 'user' }, { projectId, role }, 'manage');
  return [projectId];
}
