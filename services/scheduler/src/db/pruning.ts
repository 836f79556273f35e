import { runStatement, type EntityManager } from '#libs/db';
import type { Prune } from '../domain/events/retention.ts';

/** The time `keepMs` milliseconds ago; `keepMs` is a parameter such as `$1`. */
export const before = (keepMs: string): string => `now() - make_interval(secs => ${keepMs}::float8 / 1000)`;

/** The least id of that time: UUIDv7 grow with time, so the primary key finds the oldest rows without another index. */
export const idBefore = (keepMs: string): string =>
  `(select uuidv7(make_interval(secs => -(${keepMs}::float8) / 1000)))`;

/** Whether the job of a row x of some table has an open dead letter, so that an administrator may still retry it. */
export const hasOpenDeadLetter = (queue: string): string =>
  `exists (select 1 from dead_letters l where l.queue = '${queue}' and l.job_id = x.job_id and l.state = 'open')`;

/** `text` has the parameters `keepMs` and `limit`, and returns a row for each deleted one. */
export const prunes =
  (em: EntityManager, text: string): Prune =>
  async (keepMs, limit) =>
    (await runStatement(em, text, [keepMs, limit])).length;
