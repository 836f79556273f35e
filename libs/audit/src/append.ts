import { runStatement, type EntityManager } from '#libs/db';
import { chainedText, chainHash, type ChainPlace } from './chain.ts';

const batchSize = 200;

interface Head extends ChainPlace {
  nowMs: bigint;
}

interface WaitingEvent {
  id: string;
  text: string;
}

/**
 * Appends the waiting events to the chain, at most a batch of them, in the transaction of the entity manager. Replicas
 * take turns by the lock of the head. Returns whether others may be waiting.
 */
export async function appendWaiting(em: EntityManager): Promise<boolean> {
  const [head] = await runStatement<Head>(em, lockHead, []);
  if (head === undefined) throw new Error('the audit log has lost its head');
  const waiting = await runStatement<WaitingEvent>(em, findWaiting, [batchSize]);
  if (waiting.length === 0) return false;
  // A database whose clock was set back goes on in the month that it had reached.
  const recordMs = head.nowMs > head.recordMs ? head.nowMs : head.recordMs;
  await ensurePartition(em, recordMs);
  const places: ChainPlace[] = [];
  let last: ChainPlace = head;
  for (const { text } of waiting) {
    const place = { position: last.position + 1n, recordMs };
    last = { ...place, hash: chainHash(last.hash, place, text) };
    places.push(last);
  }
  await runStatement(em, append, [
    waiting.map(({ id }) => id),
    places.map(({ position }) => position),
    places.map(({ hash }) => `\\x${hash.toString('hex')}`),
    new Date(Number(recordMs)),
    last.position,
    last.hash,
  ]);
  return waiting.length === batchSize;
}

/** The name of the partition of a month, without the schema: chain_2026_11. */
function partitionOf(recordMs: bigint): string {
  return `chain_${new Date(Number(recordMs)).toISOString().slice(0, 7).replace('-', '_')}`;
}

async function ensurePartition(em: EntityManager, recordMs: bigint): Promise<void> {
  const name = partitionOf(recordMs);
  const [known] = await runStatement<{ found: boolean }>(em, findPartition, [`audit.${name}`]);
  if (known?.found === true) return;
  const month = new Date(Number(recordMs));
  const [from, to] = [0, 1].map((ahead) =>
    new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + ahead)).toISOString(),
  );
  await runStatement(
    em,
    `create table audit.${name} partition of audit.chain for values from ('${from}') to ('${to}')`,
    [],
  );
  // Rights on a partition are its own.
  await runStatement(em, `revoke update, delete, truncate on audit.${name} from current_user`, []);
}

const lockHead = {
  name: 'audit_head',
  text: `
    select position, (extract(epoch from record_time) * 1000)::bigint as "recordMs", hash,
      (extract(epoch from clock_timestamp()) * 1000)::bigint as "nowMs"
    from audit.head for update`,
};
const findWaiting = {
  name: 'audit_waiting',
  text: `select id, ${chainedText} as text from audit.waiting order by id limit $1`,
};
const findPartition = { name: 'audit_partition', text: 'select to_regclass($1) is not null as found' };
const columns = `
  id, create_time, action, outcome, reason, actor_kind, actor_id, target_kind, target_id, account_id, call_id, address,
  details`;
const append = {
  name: 'audit_append',
  text: `
    with chained as (
      select * from unnest($1::uuid[], $2::bigint[], $3::bytea[]) as places (id, position, hash)
    ), taken as (
      delete from audit.waiting where id in (select id from chained) returning ${columns}
    ), appended as (
      insert into audit.chain (${columns}, position, record_time, hash)
      select taken.*, position, $4, hash from taken join chained using (id)
    )
    update audit.head set position = $5, record_time = $4, hash = $6`,
};
