import type { SchedulerDeps } from '../../deps.ts';

/** Records the schedules of this release. */
export async function declareSchedules({ uow, schedules }: Pick<SchedulerDeps, 'uow' | 'schedules'>): Promise<void> {
  await uow.run((repositories) => repositories.schedules.declare([...schedules]));
}
