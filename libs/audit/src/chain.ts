import { createHash } from 'node:crypto';

/** A place in the chain. Position 0 is before the first event, and its hash is empty. */
export interface ChainPlace {
  position: bigint;
  /** Milliseconds since 1970; never before those of the place before. */
  recordMs: bigint;
  hash: Buffer;
}

/**
 * What of an event is chained, as one text. Built by PostgreSQL, so that a value has one form whoever reads it: no time
 * zone and no date style has a say.
 */
export const chainedText = `
  jsonb_build_array(id, (extract(epoch from create_time) * 1000)::bigint, action, outcome, reason, actor_kind, actor_id,
    target_kind, target_id, account_id, call_id, address, details)::text`;

/** The hash of an event: over its place, what it says and the hash before it. */
export function chainHash(before: Buffer, { position, recordMs }: Omit<ChainPlace, 'hash'>, text: string): Buffer {
  return createHash('sha256').update(before).update(`\n${position}\n${recordMs}\n${text}`).digest();
}
