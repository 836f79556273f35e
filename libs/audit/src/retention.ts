import { runStatement, type EntityManager } from '#libs/db';
import type { AuditEntry } from './audit-log.ts';

interface OldPartition {
  name: string;
  firstPosition: bigint | null;
  lastPosition: bigint | null;
  lastHash: string | null;
}

/**
 * Drops the months that ended longer ago than `retentionMs`, and tells of each in the chain: which places it held and
 * the hash that the next one follows.
 */
export async function dropOldPartitions(
  em: EntityManager,
  retentionMs: number,
  add: (em: EntityManager, entry: AuditEntry) => Promise<void>,
): Promise<void> {
  // The turn of whoever appends, so that nothing is appended to what is dropped.
  await runStatement(em, 'select from audit.head for update', []);
  const names = await runStatement<{ name: string }>(em, findOld, [retentionMs]);
  for (const { name } of names) {
    const [held] = await runStatement<OldPartition>(em, { name: `audit_held_${name}`, text: heldBy(name) }, []);
    await runStatement(em, `drop table audit.${name}`, []);
    const { firstPosition, lastPosition, lastHash } = held ?? {};
    const details = {
      first_position: String(firstPosition ?? ''),
      last_position: String(lastPosition ?? ''),
      last_hash: lastHash ?? '',
    };
    await add(em, { action: 'audit_partition_dropped', target: { kind: 'partition', id: name }, details });
  }
}

/** A partition ends where its month does. */
const findOld = {
  name: 'audit_old_partitions',
  text: `
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'audit.chain'::regclass
      and (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC'
        <= clock_timestamp() - $1 * interval '1 millisecond'
    order by relname`,
};

const heldBy = (name: string): string => `
  select min(position) as "firstPosition", max(position) as "lastPosition",
    (select encode(hash, 'hex') from audit.${name} order by position desc limit 1) as "lastHash"
  from audit.${name}`;
