import type { ListSchedulesResponse, Schedule } from '#contract/scheduler/v1/scheduler';
import type { RecordedSchedule, SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'read' | 'queue'>;

/** The schedules as recorded; the next run is only known to the queue and absent while that is out of reach. */
export async function listSchedules({ read, queue }: Deps): Promise<ListSchedulesResponse> {
  const recorded = await read.schedules();
  return { schedules: await Promise.all(recorded.map((schedule) => withNextRun(queue, schedule))) };
}

async function withNextRun(queue: Deps['queue'], { intervalMs, ...schedule }: RecordedSchedule): Promise<Schedule> {
  const nextRunTime = await queue.nextRunTime(schedule.id).catch(() => undefined);
  return { ...schedule, interval: toDuration(intervalMs), nextRunTime };
}

function toDuration(ms: number): NonNullable<Schedule['interval']> {
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
}
