import type { ListDeadJobsResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { toDeadJob } from '../../domain/jobs/job.messages.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'readJobs' | 'pageTokens'>;

export interface ListDeadJobsInput extends PageInput {
  queue: string;
  name: string;
  includeResolved: boolean;
}

/** Youngest first: ids grow with time. */
export async function listDeadJobs(
  { readJobs, pageTokens }: Deps,
  actor: UserActor,
  input: ListDeadJobsInput,
): Promise<ListDeadJobsResponse> {
  const { pageSize, pageToken, ...filter } = input;
  const scope = { caller: actor.userId, method: 'ListDeadJobs', filter };
  const after = pageTokens.open<string>(pageToken, scope);
  // One more than the page size shows whether another page follows.
  const deadLetters = await readJobs.deadLetters(filter, after, pageSize + 1);
  const page = deadLetters.slice(0, pageSize);
  const last = deadLetters.length > pageSize ? page.at(-1) : undefined;
  return { deadJobs: page.map(toDeadJob), nextPageToken: last === undefined ? '' : pageTokens.seal(last.id, scope) };
}
