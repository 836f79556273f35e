import type { SqlReader } from '#libs/db';
import type { AuditTargetKind } from './audit-log.ts';

export interface AuditFilters {
  action?: string | undefined;
  outcome?: 'done' | 'refused' | undefined;
  actorId?: string | undefined;
  targetId?: string | undefined;
  accountId?: string | undefined;
  startTime?: Date | undefined;
  endTime?: Date | undefined;
}

export interface StoredEvent {
  id: string;
  position: bigint;
  createTime: Date;
  action: string;
  outcome: 'done' | 'refused';
  reason: string;
  actorKind: 'user' | 'anonymous' | 'service' | 'operator';
  actorId: string;
  /** '' = nothing in particular. */
  targetKind: AuditTargetKind | '';
  targetId: string;
  accountId: string | null;
  callId: string;
  address: string;
  details: Record<string, string>;
  hash: Buffer;
}

const conditions: Record<keyof AuditFilters, (parameter: string) => string> = {
  action: (value) => `action = ${value}`,
  outcome: (value) => `outcome = ${value}`,
  actorId: (value) => `actor_id = ${value}`,
  targetId: (value) => `target_id = ${value}`,
  accountId: (value) => `account_id = ${value}`,
  startTime: (value) => `create_time >= ${value}`,
  endTime: (value) => `create_time < ${value}`,
};

const names = Object.keys(conditions) as (keyof AuditFilters)[];

/** The newest events before a place (undefined: from the end) that agree with all filters. */
export function listAuditEvents(
  reader: SqlReader,
  filters: AuditFilters,
  before: bigint | undefined,
  limit: number,
): Promise<StoredEvent[]> {
  const given = names.filter((name) => filters[name] !== undefined);
  const where = ['position < $1', ...given.map((name, index) => conditions[name](`$${index + 3}`))].join(' and ');
  const text = `
    select id, position, create_time as "createTime", action, outcome, reason, actor_kind as "actorKind",
      actor_id as "actorId", target_kind as "targetKind", target_id as "targetId", account_id as "accountId",
      call_id as "callId", address, details, hash
    from audit.chain where ${where} order by position desc limit $2`;
  // One prepared statement for each combination of filters, so that each has the plan of its index.
  const name = `audit_list_${names.map((one) => Number(given.includes(one))).join('')}`;
  return reader.query<StoredEvent>({ name, text }, [before ?? maxPosition, limit, ...given.map((one) => filters[one])]);
}

const maxPosition = 2n ** 63n - 1n;
