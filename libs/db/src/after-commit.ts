import type { EntityManager } from '@mikro-orm/postgresql';

const callbacks = new WeakMap<EntityManager, (() => void)[]>();

/**
 * Runs `callback` right after the entity manager's unit of work has committed, and never when it rolls back. It must
 * not throw. It is lost when the process dies at that moment, so it may wake a reader but must not do work that has to
 * happen.
 */
export function afterCommit(em: EntityManager, callback: () => void): void {
  const known = callbacks.get(em);
  if (known === undefined) callbacks.set(em, [callback]);
  else known.push(callback);
}

export function runAfterCommit(em: EntityManager): void {
  for (const callback of callbacks.get(em) ?? []) callback();
  callbacks.delete(em);
}
