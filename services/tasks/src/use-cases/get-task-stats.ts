import type { UserActor } from '#libs/runtime';
import type { GetTaskStatsResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { requireListAccess } from '../domain/task-access.ts';
import { toStats } from '../domain/task-counters.ts';

/** `ownerId` '' = what the caller owns or is assigned to. */
export async function getTaskStats(
  { taskReader }: Pick<TasksDeps, 'taskReader'>,
  actor: UserActor,
  ownerId: string,
): Promise<GetTaskStatsResponse> {
  requireListAccess(actor, ownerId);
  const ownedOnly = ownerId !== '';
  const { counters, overdueOwned, overdueAssigned } = await taskReader.count(ownedOnly ? ownerId : actor.userId);
  return { stats: toStats(counters, ownedOnly ? overdueOwned : overdueOwned + overdueAssigned, ownedOnly) };
}
