import { createHash, timingSafeEqual } from 'node:crypto';
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { AppError } from '#libs/errors';
import { faultKind } from './sql-state.ts';
import type { CommonTable } from './last-statement.ts';
import { runStatement } from './statement.ts';

/** What makes a request the same as an earlier one, and how its result is recorded. */
export interface Once<T> {
  /** Whose request ids these are: two users never meet in one. */
  userId: string;
  method: string;
  /** Chosen by the client; '' means that the request is not idempotent. */
  requestId: string;
  /** Of the request's content: the same id with another content is refused. */
  fingerprint: Uint8Array;
  encode(result: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

type RecordedRequest = Pick<Once<unknown>, 'userId' | 'method' | 'requestId' | 'fingerprint'>;

interface Encoder<T> {
  encode(message: T): { finish(): Uint8Array };
}
interface Codec<T> extends Encoder<T> {
  decode(bytes: Uint8Array): T;
}

/** Idempotency by a client's request id; the codecs are the generated ones of the method's request and response. */
export function once<Req, Res>(
  call: { userId: string; method: string; requestId: string },
  request: Req,
  requestCodec: Encoder<Req>,
  responseCodec: Codec<Res>,
): Once<Res> {
  return {
    userId: call.userId,
    method: call.method,
    requestId: call.requestId,
    fingerprint: createHash('sha256').update(requestCodec.encode(request).finish()).digest(),
    encode: (result) => responseCodec.encode(result).finish(),
    decode: (bytes) => responseCodec.decode(bytes),
  };
}

const keptFor = `interval '24 hours'`;

/** The table of recorded requests: a service's first migration runs `up`, its entity list holds `entity`. */
export const idempotencyTable = {
  up: `
    create table idempotency_records (
      user_id text not null,
      method text not null,
      request_id text not null,
      fingerprint bytea not null,
      response bytea,
      create_time timestamptz(3) not null,
      constraint idempotency_records_pkey primary key (user_id, method, request_id)
    );
    create index idempotency_records_create_time_index on idempotency_records (create_time);`,
  down: 'drop table idempotency_records;',
  entity: defineEntity({
    name: 'IdempotencyRecord',
    tableName: 'idempotency_records',
    indexes: [{ name: 'idempotency_records_create_time_index', properties: 'createTime' }],
    properties: {
      userId: p.text().primary(),
      method: p.text().primary(),
      requestId: p.text().primary(),
      fingerprint: p.blob(),
      response: p.blob().nullable(),
      createTime: p.datetime(3),
    },
  }),
};

/**
 * Takes the request id for the current transaction. A parallel twin waits here for the first one's end: after its commit
 * it gets the recorded response, after its rollback it takes the id itself. Undefined: the id is ours, do the work.
 */
export async function claim(em: EntityManager, { userId, method, requestId, fingerprint }: RecordedRequest): Promise<Uint8Array | undefined> {
  const key = [userId, method, requestId];
  if (await insertRecord(em, [...key, Buffer.from(fingerprint)])) return undefined;
  const [record] = await runStatement<{ fingerprint: Buffer; response: Buffer | null }>(em, findRecord, key);
  // Pruned between the two statements: rare, and a repeat finds the way free.
  if (record?.response == null) throw inProgress();
  if (!timingSafeEqual(record.fingerprint, fingerprint)) throw reused();
  return record.response;
}

const findRecord = {
  name: 'find_request',
  text: 'select fingerprint, response from idempotency_records where user_id = $1 and method = $2 and request_id = $3',
};

const insertNew = {
  name: 'claim_request',
  text: `
    insert into idempotency_records as record (user_id, method, request_id, fingerprint, create_time)
    values ($1, $2, $3, $4, now())
    on conflict (user_id, method, request_id) do update
      set fingerprint = excluded.fingerprint, response = null, create_time = excluded.create_time
      where record.create_time < now() - ${keptFor}
    returning 1`,
};

async function insertRecord(em: EntityManager, values: unknown[]): Promise<boolean> {
  try {
    return (await runStatement(em, insertNew, values)).length === 1;
  } catch (error) {
    throw faultKind(error) === 'lock_timeout' ? inProgress() : error;
  }
}

/** The response of a claimed request id, as a part of a larger statement. */
export function recordedResponse({ userId, method, requestId }: RecordedRequest, response: Uint8Array): CommonTable {
  return {
    name: 'recorded',
    text: (add) => `
      update idempotency_records set response = ${add(Buffer.from(response), 'bytea')}
      where user_id = ${add(userId, 'text')} and method = ${add(method, 'text')} and request_id = ${add(requestId, 'text')} returning 1`,
  };
}

const storeText = { name: 'store_response', text: 'update idempotency_records set response = $4 where user_id = $1 and method = $2 and request_id = $3' };

export async function storeResponse(em: EntityManager, { userId, method, requestId }: RecordedRequest, response: Uint8Array): Promise<void> {
  await runStatement(em, storeText, [userId, method, requestId, Buffer.from(response)]);
}

/** Deletes a batch of records whose time is over; returns how many. To be called until it returns less than `limit`. */
export async function pruneIdempotency(em: EntityManager, limit = 1000): Promise<number> {
  const rows = await runStatement(
    em,
    `delete from idempotency_records where ctid = any (array(
       select ctid from idempotency_records where create_time < now() - ${keptFor} order by create_time limit $1 for update skip locked))
     returning 1`,
    [limit],
  );
  return rows.length;
}

function inProgress(): AppError {
  return new AppError('aborted', 'REQUEST_IN_PROGRESS', 'the same request is being carried out', { details: { retryAfterMs: 500 } });
}

function reused(): AppError {
  return new AppError('invalid_argument', 'REQUEST_ID_REUSED', 'the request id was used before with another request', {
    details: { violations: [{ field: 'request_id', description: 'was used before with another request; choose a fresh one for each request' }] },
  });
}
