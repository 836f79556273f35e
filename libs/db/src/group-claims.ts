import type { EntityManager } from '@mikro-orm/postgresql';
import type { CommonTable } from './final-statement.ts';
import { keptFor, type RecordedRequest, type StoredRecord } from './idempotency.ts';
import { runStatement } from './statement.ts';

/* Idempotency keys of several requests in one transaction, one statement for each step. */

type Keyed = Pick<RecordedRequest, 'userId' | 'method' | 'idempotencyKey'>;

interface KeyRow {
  user_id: string;
  method: string;
  request_id: string;
}

/** Two requests are the same when this is equal. */
export const keyTextOf = ({ userId, method, idempotencyKey }: Keyed): string =>
  [userId, method, idempotencyKey].join('\0');
const textOfRow = (row: KeyRow): string => [row.user_id, row.method, row.request_id].join('\0');

const columnsOf = (requests: readonly Keyed[]): string[][] => [
  requests.map(({ userId }) => userId),
  requests.map(({ method }) => method),
  requests.map(({ idempotencyKey }) => idempotencyKey),
];

const claimRequests = {
  name: 'claim_requests',
  text: `
    insert into idempotency_records as record (user_id, method, request_id, fingerprint, create_time)
    select user_id, method, request_id, fingerprint, now()
    from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as t (user_id, method, request_id, fingerprint)
    order by user_id, method, request_id
    on conflict (user_id, method, request_id) do update
      set fingerprint = excluded.fingerprint, response = null, create_time = excluded.create_time
      where record.create_time < now() - ${keptFor}
    returning user_id, method, request_id`,
};

/**
 * Claims different keys for the current transaction, in one order, so that two transactions cannot wait for each other.
 * Returns those that were free, as `keyTextOf` writes them.
 */
export async function claimAll(em: EntityManager, requests: readonly RecordedRequest[]): Promise<Set<string>> {
  const fingerprints = requests.map((request) => Buffer.from(request.fingerprints[0] ?? []));
  const claimed = await runStatement<KeyRow>(em, claimRequests, [...columnsOf(requests), fingerprints]);
  return new Set(claimed.map(textOfRow));
}

const findRequests = {
  name: 'find_requests',
  text: `
    select record.user_id, record.method, record.request_id, fingerprint, response
    from unnest($1::text[], $2::text[], $3::text[]) as t (user_id, method, request_id)
    join idempotency_records as record using (user_id, method, request_id)
    where create_time >= now() - ${keptFor}`,
};

/** The records of these keys, by `keyTextOf`. */
export async function findRecorded(
  em: EntityManager,
  requests: readonly Keyed[],
): Promise<ReadonlyMap<string, StoredRecord>> {
  const rows = await runStatement<KeyRow & StoredRecord>(em, findRequests, columnsOf(requests));
  return new Map(rows.map((row) => [textOfRow(row), row]));
}

const releaseClaims = {
  name: 'release_claims',
  text: `
    delete from idempotency_records as record
    using unnest($1::text[], $2::text[], $3::text[]) as t (user_id, method, request_id)
    where record.user_id = t.user_id and record.method = t.method and record.request_id = t.request_id`,
};

/** Gives claimed keys back, in the transaction that claimed them. */
export async function releaseAll(em: EntityManager, requests: readonly Keyed[]): Promise<void> {
  await runStatement(em, releaseClaims, columnsOf(requests));
}

/** Records the responses of claimed keys as a part of a larger statement. */
export function recordedResponses(recorded: readonly { request: Keyed; response: Uint8Array }[]): CommonTable {
  const [userIds, methods, keys] = columnsOf(recorded.map(({ request }) => request));
  const responses = recorded.map(({ response }) => Buffer.from(response));
  return {
    name: 'recorded_all',
    text: (add) => `
      update idempotency_records as record set response = t.response
      from unnest(${add(userIds, 'text[]')}, ${add(methods, 'text[]')}, ${add(keys, 'text[]')}, ${add(responses, 'bytea[]')})
        as t (user_id, method, request_id, response)
      where record.user_id = t.user_id and record.method = t.method and record.request_id = t.request_id returning 1`,
  };
}
