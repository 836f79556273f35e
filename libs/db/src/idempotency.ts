import { createHash, timingSafeEqual } from 'node:crypto';
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { AppError, answerRemoved, requestIdReused } from '#libs/errors';
import { faultKind } from './sql-state.ts';
import type { CommonTable } from './final-statement.ts';
import type { SqlReader } from './reader.ts';
import { runStatement } from './statement.ts';

/** Identifies a request that may be repeated, and says how its result is recorded. */
export interface Once<T> {
  /** Two users may choose the same key. */
  userId: string;
  method: string;
  /** The field request_id, chosen by the client; '' means that the request is not idempotent. */
  idempotencyKey: string;
  /**
   * Fingerprints of the request's content; the same key with other content is refused. The first one is recorded, each
   * is recognised.
   */
  fingerprints: readonly Uint8Array[];
  /** Of the request. */
  sizeBytes: number;
  encode(result: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

export type RecordedRequest = Pick<Once<unknown>, 'userId' | 'method' | 'idempotencyKey' | 'fingerprints'>;

interface Encoder<T> {
  encode(message: T): { finish(): Uint8Array };
}
interface Codec<T> extends Encoder<T> {
  decode(bytes: Uint8Array): T;
}

/** The fingerprint of content without secrets. */
const digest = (content: Uint8Array): Uint8Array[] => [createHash('sha256').update(content).digest()];

export interface RepeatableCall {
  userId: string;
  method: string;
  idempotencyKey: string;
  /** For requests with a password, because a plain digest of a password is cheap to guess. */
  fingerprintsOf?: (content: Uint8Array) => readonly Uint8Array[];
}

/**
 * Idempotency by a key that the client chooses; the codecs are the generated ones of the method's request and response.
 */
export function once<Req extends object, Res>(
  { fingerprintsOf = digest, ...call }: RepeatableCall,
  request: Req,
  requestCodec: Encoder<Req>,
  responseCodec: Codec<Res>,
): Once<Res> {
  // A dry run and the real call are one request.
  const content = requestCodec.encode({ ...request, validateOnly: false }).finish();
  return {
    ...call,
    fingerprints: fingerprintsOf(content),
    sizeBytes: content.length,
    encode: (result) => responseCodec.encode(result).finish(),
    decode: (bytes) => responseCodec.decode(bytes),
  };
}

export const keptFor = `interval '24 hours'`;

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
      idempotencyKey: p.text().primary().fieldName('request_id'),
      fingerprint: p.blob(),
      response: p.blob().nullable(),
      createTime: p.datetime(3),
    },
  }),
};

/**
 * Claims the key for the current transaction and returns undefined, or returns the recorded response. A parallel
 * request with the same key waits for this transaction: after its commit it gets the recorded response, after its
 * rollback it claims the key itself.
 */
export async function claim(em: EntityManager, request: RecordedRequest): Promise<Uint8Array | undefined> {
  const key = keyOf(request);
  if (await insertRecord(em, [...key, Buffer.from(request.fingerprints[0] ?? [])])) return undefined;
  const [record] = await runStatement<StoredRecord>(em, findRecord, key);
  // The record was pruned between the two statements, which is rare; a repeat succeeds.
  if (record === undefined) throw inProgress();
  return responseOf(record, request);
}

/**
 * Returns the recorded result outside a transaction, or undefined. It is for work that a repeat cannot do again, such
 * as checking a password that the first call has changed.
 */
export async function recall<T>(reader: SqlReader, request: Once<T>): Promise<T | undefined> {
  if (request.idempotencyKey === '') return undefined;
  const [record] = await reader.query<StoredRecord>(findRecord, keyOf(request));
  return record && request.decode(responseOf(record, request));
}

export interface StoredRecord {
  fingerprint: Buffer;
  /** Null: removed. It is recorded in the transaction that claims the key, so nobody else sees a key without one. */
  response: Buffer | null;
}

const keyOf = ({ userId, method, idempotencyKey }: RecordedRequest): string[] => [userId, method, idempotencyKey];

/** Throws REQUEST_ID_REUSED when the record belongs to another request, and ANSWER_REMOVED. */
export function responseOf({ fingerprint, response }: StoredRecord, { fingerprints }: RecordedRequest): Uint8Array {
  const isSame = fingerprints.some((own) => own.length === fingerprint.length && timingSafeEqual(fingerprint, own));
  if (!isSame) throw requestIdReused();
  if (response === null) throw answerRemoved();
  return response;
}

const findRecord = {
  name: 'find_request',
  text: `
    select fingerprint, response from idempotency_records
    where user_id = $1 and method = $2 and request_id = $3 and create_time >= now() - ${keptFor}`,
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

/** Records the response of a claimed key as a part of a larger statement. */
export function recordedResponse(
  { userId, method, idempotencyKey }: RecordedRequest,
  response: Uint8Array,
): CommonTable {
  return {
    name: 'recorded',
    text: (add) => `
      update idempotency_records set response = ${add(Buffer.from(response), 'bytea')}
      where user_id = ${add(userId, 'text')} and method = ${add(method, 'text')} and request_id = ${add(idempotencyKey, 'text')} returning 1`,
  };
}

const storeText = {
  name: 'store_response',
  text: 'update idempotency_records set response = $4 where user_id = $1 and method = $2 and request_id = $3',
};

export async function storeResponse(
  em: EntityManager,
  { userId, method, idempotencyKey }: RecordedRequest,
  response: Uint8Array,
): Promise<void> {
  await runStatement(em, storeText, [userId, method, idempotencyKey, Buffer.from(response)]);
}

/** Deletes a batch of expired records and returns how many. Call it until it returns less than `limit`. */
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

/** Deletes what is recorded of a user's own requests. */
export async function removeRequestsOf(em: EntityManager, userId: string): Promise<void> {
  await runStatement(em, 'delete from idempotency_records where user_id = $1', [userId]);
}

const mentions = `
  exists (select from unnest($1::text[]) as wanted (text) where position(convert_to(wanted.text, 'UTF8') in response) > 0)`;

/**
 * Removes the recorded responses that hold one of the texts: of the named users, or of all. Of all it looks at each
 * record of the last 24 hours. The keys stay, so that a repeat has no second effect.
 */
export async function removeResponsesWith(
  em: EntityManager,
  texts: readonly string[],
  userIds?: readonly string[],
): Promise<void> {
  const among = userIds === undefined ? '' : 'user_id = any ($2::text[]) and';
  const values = userIds === undefined ? [texts] : [texts, userIds];
  await runStatement(em, `update idempotency_records set response = null where ${among} ${mentions}`, values);
}

function inProgress(): AppError {
  return new AppError('aborted', 'REQUEST_IN_PROGRESS', 'the same request is being carried out', {
    details: { retryAfterMs: 500 },
  });
}
