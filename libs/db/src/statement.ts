import type { EntityManager } from '@mikro-orm/postgresql';
import { assertCallGoesOn } from './database-errors.ts';
import { connectionOf } from './em-connection.ts';
import { toParameters } from './parameters.ts';
import { rowTypes, type Statement } from './reader.ts';

/**
 * Runs one statement with real parameters ($1, $2, …) on the entity manager's transaction. No value becomes part of its
 * text. The ORM's type parsers apply: int8 and timestamps are strings. A statement with a name is prepared once for
 * each connection and has the rows of a SqlReader.
 */
export async function runStatement<Row>(
  em: EntityManager,
  statement: string | Statement,
  parameters: unknown[],
): Promise<Row[]> {
  assertCallGoesOn();
  const query = typeof statement === 'string' ? { text: statement } : { ...statement, types: rowTypes };
  const { rows } = await connectionOf(em).query({ ...query, values: toParameters(parameters) });
  return rows as Row[];
}
