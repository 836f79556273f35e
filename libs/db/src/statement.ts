import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { assertCallGoesOn } from './database-errors.ts';

/**
 * Runs one statement with real parameters ($1, $2, …) on the entity manager's transaction. Unlike the ORM's own execute,
 * no value becomes part of the statement's text. The ORM's type parsers apply: int8 and timestamps come as strings.
 */
export async function runStatement<Row>(em: EntityManager, text: string, parameters: unknown[]): Promise<Row[]> {
  assertCallGoesOn();
  const { rows } = await em.getKysely().executeQuery(CompiledQuery.raw(text, parameters));
  return rows as Row[];
}
