import type { SqlReader } from '#libs/db';
import { chainedText, chainHash, type ChainPlace } from './chain.ts';

/** What is wrong with the audit log, in one line each; empty when nothing is. */
export interface Verification {
  findings: string[];
  /** How many events were read. */
  count: number;
  /** The last place of the chain, to be compared with one that was noted elsewhere. */
  head: ChainPlace;
}

interface ChainedEvent extends ChainPlace {
  id: string;
  action: string;
  /** The place and the hash that a dropped partition ended with. */
  droppedTo: string | null;
  droppedHash: string | null;
  text: string;
}

const pageSize = 1000;

/**
 * Reads the whole chain and names each event that was changed, inserted, or is missing. The end of the log is compared with
 * its head. Who could change the events, the head and every hash after them leaves no trace in the database; a head that
 * was noted elsewhere shows it.
 */
export async function verifyAuditLog(reader: SqlReader): Promise<Verification> {
  const findings: string[] = [];
  const dropped = new Map<string, string>();
  let first: ChainedEvent | undefined;
  let last: ChainPlace = { position: 0n, recordMs: 0n, hash: Buffer.alloc(0) };
  let count = 0;
  for await (const event of readChain(reader)) {
    count += 1;
    if (event.droppedTo !== null) dropped.set(event.droppedTo, event.droppedHash ?? '');
    if (count === 1 && event.position > 1n) first = event;
    else findings.push(...judge(last, event));
    if (event.position > last.position) last = event;
  }
  if (first !== undefined) findings.unshift(...judgeBeginning(first, dropped));
  findings.push(...(await judgeEnd(reader, last)));
  return { findings, count, head: last };
}

const nameOf = ({ position, id, action }: ChainedEvent): string => `event ${position} (${id}, ${action})`;

function judge(before: ChainPlace, event: ChainedEvent): string[] {
  if (event.position <= before.position) return [`${nameOf(event)} was inserted: its place is taken`];
  // What follows a gap has lost the hash that it was made with.
  if (event.position > before.position + 1n) return [missing(before.position + 1n, event.position - 1n)];
  const isWhole = chainHash(before.hash, event, event.text).equals(event.hash);
  return isWhole ? [] : [`${nameOf(event)} was changed or inserted: its hash does not fit`];
}

const missing = (from: bigint, to: bigint): string =>
  from === to ? `event ${from} is missing` : `events ${from} to ${to} are missing`;

/** The oldest event follows a dropped partition that the chain tells of. */
function judgeBeginning(first: ChainedEvent, dropped: ReadonlyMap<string, string>): string[] {
  const position = first.position - 1n;
  const hash = dropped.get(position.toString());
  if (hash === undefined) return [`${missing(1n, position)}, and no dropped partition tells of it`];
  return judge({ position, recordMs: 0n, hash: Buffer.from(hash, 'hex') }, first);
}

async function judgeEnd(reader: SqlReader, last: ChainPlace): Promise<string[]> {
  const [head] = await reader.query<Pick<ChainPlace, 'position' | 'hash'>>(readHead, []);
  if (head === undefined) return ['the head of the log is missing'];
  if (last.position < head.position) return [missing(last.position + 1n, head.position)];
  if (last.position > head.position) return [`events after ${head.position} were inserted: the log's head is there`];
  return last.hash.equals(head.hash) ? [] : [`the hash of event ${last.position} is not that of the log's head`];
}

async function* readChain(reader: SqlReader): AsyncGenerator<ChainedEvent> {
  let after: [bigint, bigint] = [0n, -1n];
  for (;;) {
    const page = await reader.query<ChainedEvent>(readPage, [...after, pageSize]);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = [last.position, last.recordMs];
  }
}

const recordMs = '(extract(epoch from record_time) * 1000)::bigint';
const readPage = {
  name: 'audit_verify',
  text: `
    select position, ${recordMs} as "recordMs", hash, id, action, ${chainedText} as text,
      case when action = 'audit_partition_dropped' then details->>'last_position' end as "droppedTo",
      case when action = 'audit_partition_dropped' then details->>'last_hash' end as "droppedHash"
    from audit.chain where (position, ${recordMs}) > ($1, $2) and position >= $1 order by position, record_time limit $3`,
};
const readHead = { name: 'audit_verify_head', text: 'select position, hash from audit.head' };
