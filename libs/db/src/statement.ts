import type { EntityManager } from '@mikro-orm/postgresql';
import { assertCallGoesOn } from './database-errors.ts';
import { connectionOf } from './em-connection.ts';
import { rowTypes, type Statement } from './reader.ts';

/**
 * Runs one statement with real parameters ($1, $2, …) on the entity manager's transaction. Unlike the ORM's own execute,
 * no value becomes part of the statement's text. The ORM's type parsers apply: int8 and timestamps come as strings.
 * With a name it is prepared, once for each connection, and its rows are those of a SqlReader.
 */
export async function runStatement<Row>(em: EntityManager, statement: string | Statement, parameters: unknown[]): Promise<Row[]> {
  assertCallGoesOn();
  const query = typeof statement === 'string' ? { text: statement } : { ...statement, types: rowTypes };
  const { rows } = await connectionOf(em).query({ ...query, values: parameters });
  return rows as Row[];
}
