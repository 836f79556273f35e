import { runStatement, type EntityManager } from '#libs/db';
import { removeAudience, type GoneEvent } from './prune.ts';

/** An event that was removed before its time. */
export interface RemovedEvent {
  type: string;
  subjectId: string;
  subjectVersion: bigint;
  actor: string;
  /** Whom it concerned. */
  audience: readonly string[];
}

const removeOfSubjects = `
  delete from events where id = any (array(select id from events where subject_id = any ($1::uuid[]) limit $2))
  returning id, transaction_id, payload, type, subject_id, subject_version, actor`;

type Row = GoneEvent & { type: string; subject_id: string; subject_version: string | bigint; actor: string };

/**
 * Removes up to `limit` events of the subjects, whatever their age. Readers of the log pass over them as over any other
 * events that do not concern them; the horizon stays. So record something else for those who have to hear that the
 * subject is gone. Runs in a transaction.
 */
export async function removeEvents(
  em: EntityManager,
  subjectIds: readonly string[],
  { limit, audienceOf }: { limit: number; audienceOf: (payload: Uint8Array) => readonly string[] },
): Promise<RemovedEvent[]> {
  const rows = await runStatement<Row>(em, removeOfSubjects, [subjectIds, limit]);
  await removeAudience(em, rows, audienceOf);
  return rows.map(({ type, subject_id: subjectId, subject_version: version, actor, payload }) => ({
    type,
    subjectId,
    subjectVersion: BigInt(version),
    actor,
    audience: audienceOf(payload),
  }));
}
