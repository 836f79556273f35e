import { runStatement, type EntityManager } from '#libs/db';
import { removeAudience, type GoneEvent } from './prune.ts';

/** An event whose contents were erased. */
export interface ErasedEvent {
  subjectId: string;
  subjectVersion: bigint;
  actor: string;
  /** Whom it concerned. */
  audience: readonly string[];
}

const findOfSubjects = `
  select id, transaction_id, payload, subject_id, subject_version, actor from events
  where subject_id = any ($1::uuid[]) and payload <> '' and not (type = $3 and actor = $4) limit $2 for update`;

const erase = `
  update events set payload = '', call_id = '', trace_parent = '', concerns_others = false
  where id = any ($1::bigint[])`;

export interface Erasure {
  limit: number;
  audienceOf: (payload: Uint8Array) => readonly string[];
  /** Events that stay: those that tell of the erasure itself. */
  except: { type: string; actor: string };
}

type Row = GoneEvent & { subject_id: string; subject_version: string | bigint; actor: string };

/**
 * Erases the contents of up to `limit` events of the subjects, whatever their age, and takes them out of everybody's
 * part of the log. The rows stay until they are pruned: positions of readers name them, and a position whose event is
 * missing shows that the log was restored. So record something else for those who have to hear that the subject is
 * gone. Runs in a transaction.
 */
export async function eraseEvents(
  em: EntityManager,
  subjectIds: readonly string[],
  { limit, audienceOf, except }: Erasure,
): Promise<ErasedEvent[]> {
  const rows = await runStatement<Row>(em, findOfSubjects, [subjectIds, limit, except.type, except.actor]);
  if (rows.length === 0) return [];
  await removeAudience(em, rows, audienceOf);
  await runStatement(em, erase, [rows.map(({ id }) => id)]);
  return rows.map(({ subject_id: subjectId, subject_version: version, actor, payload }) => ({
    subjectId,
    subjectVersion: BigInt(version),
    actor,
    audience: audienceOf(payload),
  }));
}
