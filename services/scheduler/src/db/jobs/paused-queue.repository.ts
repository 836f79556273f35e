import { runStatement, type EntityManager, type Statement } from '#libs/db';
import type { PausedQueueRepository } from '../../domain/jobs/paused-queue.repository.ts';

const pause: Statement = {
  name: 'pause_queue',
  text: `
    insert into queue_holds (queue, held_by, hold_time) values ($1, $2, clock_timestamp())
    on conflict (queue) do update set queue = excluded.queue returning hold_time as "pauseTime"`,
};
const paused: Statement = {
  name: 'paused_queue',
  text: 'select hold_time as "pauseTime" from queue_holds where queue = $1',
};
type PauseRow = { pauseTime: Date };

export function createPausedQueueRepository(em: EntityManager): PausedQueueRepository {
  return {
    lock: async (queue) => {
      await runStatement(em, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [`queue ${queue}`]);
      return (await runStatement<PauseRow>(em, paused, [queue]))[0]?.pauseTime;
    },
    pause: async (queue, actorId) => {
      const [row] = await runStatement<PauseRow>(em, pause, [queue, actorId]);
      return row?.pauseTime ?? new Date(Number.NaN);
    },
    isPaused: async (queue) =>
      (await runStatement(em, 'select 1 from queue_holds where queue = $1', [queue])).length === 1,
    resume: async (queue) =>
      (await runStatement(em, 'delete from queue_holds where queue = $1 returning 1', [queue])).length === 1,
  };
}
