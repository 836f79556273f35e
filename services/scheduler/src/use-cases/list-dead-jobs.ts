import type { ListDeadJobsResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toDeadJob } from './job-messages.ts';

type Deps = Pick<SchedulerDeps, 'readJobs' | 'pageTokens'>;

export interface ListDeadJobsInput {
  queue: string;
  name: string;
  includeSettled: boolean;
  pageSize: number;
  pageToken: string;
}

/** Youngest first: ids grow with time. */
export async function listDeadJobs({ readJobs, pageTokens }: Deps, actor: UserActor, input: ListDeadJobsInput): Promise<ListDeadJobsResponse> {
  const { pageSize, pageToken, ...filter } = input;
  const scope = { caller: actor.userId, method: 'ListDeadJobs', filter };
  const after = pageTokens.open<string>(pageToken, scope);
  // One more than asked for tells whether another page follows.
  const letters = await readJobs.letters(filter, after, pageSize + 1);
  const page = letters.slice(0, pageSize);
  const last = letters.length > pageSize ? page.at(-1) : undefined;
  return { deadJobs: page.map(toDeadJob), nextPageToken: last === undefined ? '' : pageTokens.seal(last.id, scope) };
}
