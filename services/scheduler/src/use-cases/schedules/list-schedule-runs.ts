import type { ListScheduleRunsResponse } from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { RunPosition } from '../../domain/schedules/schedule.reader.ts';
import { scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'readSchedules' | 'pageTokens'>;

export interface ListScheduleRunsInput extends PageInput {
  scheduleId: string;
}

export async function listScheduleRuns(
  { readSchedules, pageTokens }: Deps,
  actor: UserActor,
  input: ListScheduleRunsInput,
): Promise<ListScheduleRunsResponse> {
  const { scheduleId, pageSize, pageToken } = input;
  const scope = { caller: actor.userId, method: 'ListScheduleRuns', filter: scheduleId };
  const after = pageTokens.open<RunPosition>(pageToken, scope);
  if ((await readSchedules.find(scheduleId)) === undefined) throw scheduleNotFound(scheduleId);
  const { runs, next } = await readSchedules.runs(scheduleId, after, pageSize);
  return { runs, nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope) };
}
