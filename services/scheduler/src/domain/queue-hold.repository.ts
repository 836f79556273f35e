import { runStatement, type EntityManager } from '#libs/db';

export interface QueueHoldRepository {
  /** An earlier hold stays as it is; returns since when. */
  hold(queue: string, actorId: string): Promise<Date>;
  /** Whether the queue was held. */
  release(queue: string): Promise<boolean>;
}

const holdText = `
  insert into queue_holds (queue, held_by, hold_time) values ($1, $2, clock_timestamp())
  on conflict (queue) do update set queue = excluded.queue
  returning (extract(epoch from hold_time) * 1000)::bigint as held_ms`;

export function createQueueHoldRepository(em: EntityManager): QueueHoldRepository {
  return {
    hold: async (queue, actorId) => {
      const [row] = await runStatement<{ held_ms: string }>(em, holdText, [queue, actorId]);
      return new Date(Number(row?.held_ms));
    },
    release: async (queue) => (await runStatement(em, 'delete from queue_holds where queue = $1 returning 1', [queue])).length === 1,
  };
}
