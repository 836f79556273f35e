import type { ListSchedulesResponse } from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'readSchedules' | 'pageTokens'>;

export async function listSchedules(
  { readSchedules, pageTokens }: Deps,
  actor: UserActor,
  { pageSize, pageToken }: PageInput,
): Promise<ListSchedulesResponse> {
  const scope = { caller: actor.userId, method: 'ListSchedules', filter: null };
  const after = pageTokens.open<string>(pageToken, scope) ?? '';
  // One more than the page size shows whether another page follows.
  const found = await readSchedules.list(after, pageSize + 1);
  const schedules = found.slice(0, pageSize);
  return {
    schedules,
    nextPageToken: found.length > pageSize ? pageTokens.seal(schedules.at(-1)?.id ?? '', scope) : '',
  };
}
