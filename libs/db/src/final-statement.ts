import type { EntityManager } from '@mikro-orm/postgresql';
import type { AddParameter } from './column-table.ts';

/** A common table expression: what stands in `with NAME as (TEXT)`. */
export interface CommonTable {
  /** Unique for its text, because it becomes part of the name of the prepared statement. */
  name: string;
  text(add: AddParameter): string;
}

type Recorder = (response: never) => CommonTable;

const recorders = new WeakMap<EntityManager, Recorder>();
const responses = new WeakMap<EntityManager, unknown>();

/** Lets the final statement record the response, if there is one. */
export function recordWith(em: EntityManager, recorder: Recorder): void {
  recorders.set(em, recorder);
}

/**
 * Sends the last statement of a unit of work, whose result is `response`. `send` receives what the unit of work itself
 * must write (the response of an idempotency key) as common table expressions, which saves a round trip. Call it at
 * most once.
 */
export async function finalStatement<T>(
  em: EntityManager,
  response: T,
  send: (ctes: readonly CommonTable[]) => Promise<void>,
): Promise<T> {
  if (responses.has(em)) throw new Error('a unit of work has one final statement');
  responses.set(em, response);
  const recorder = recorders.get(em);
  await send(recorder === undefined ? [] : [recorder(response as never)]);
  return response;
}

/** Whether the result was recorded already. Throws when another result was. */
export function isRecorded(em: EntityManager, result: unknown): boolean {
  if (!responses.has(em)) return false;
  if (responses.get(em) !== result) throw new Error('a unit of work returns the response of its final statement');
  return true;
}
