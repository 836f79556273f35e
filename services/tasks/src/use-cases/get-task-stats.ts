import type { FeedScope } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { GetTaskStatsResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { requireInProject } from '../domain/project-access.ts';
import { projectNotFound } from '../domain/project.errors.ts';
import { requireListAccess } from '../domain/task-access.ts';
import { toStats } from '../domain/task-counters.ts';

export interface GetTaskStatsInput {
  /** '' = what the caller owns or is assigned to. */
  ownerId: string;
  /** '' = none. */
  projectId: string;
  /** Without an owner and a project. */
  scope: FeedScope;
}

export async function getTaskStats(
  { taskReader }: Pick<TasksDeps, 'taskReader'>,
  actor: UserActor,
  { ownerId, projectId, scope }: GetTaskStatsInput,
): Promise<GetTaskStatsResponse> {
  if (projectId !== '') {
    const found = await taskReader.countInProject(projectId, actor.userId);
    if (found === undefined) throw projectNotFound(projectId);
    requireInProject(actor, { projectId, role: found.role }, 'see');
    return { stats: toStats(found.counters, found.overdueOwned, true) };
  }
  if (scope === 'all') {
    const { counters, overdueOwned } = await taskReader.countEverything(actor.userId);
    return { stats: toStats(counters, overdueOwned, true) };
  }
  requireListAccess(actor, ownerId);
  const ownedOnly = ownerId !== '';
  const { counters, overdueOwned, overdueAssigned } = await taskReader.count(ownedOnly ? ownerId : actor.userId);
  return { stats: toStats(counters, ownedOnly ? overdueOwned : overdueOwned + overdueAssigned, ownedOnly) };
}
