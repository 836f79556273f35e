import type { EntityManager } from '@mikro-orm/postgresql';

/** A common table expression: what stands in `with NAME as (TEXT)`. `add` gives a value the name of its parameter. */
export interface CommonTable {
  /** Unique for its text, since it becomes part of the name that a statement is prepared under. */
  name: string;
  text(add: (value: unknown, type: string) => string): string;
}

type Run = (alongside: readonly CommonTable[]) => Promise<void>;

const statements = new WeakMap<EntityManager, Run>();

/**
 * Lets a unit of work end with this statement, after its work has returned. What the unit of work itself has to write then
 * (the response of a request id) is given to it as common tables, so that it costs no round trip of its own. One at most.
 */
export function endWith(em: EntityManager, run: Run): void {
  if (statements.has(em)) throw new Error('a unit of work has one last statement');
  statements.set(em, run);
}

export function lastStatementOf(em: EntityManager): Run | undefined {
  return statements.get(em);
}
