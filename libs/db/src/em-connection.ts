import type { EntityManager } from '@mikro-orm/postgresql';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { PoolClient } from 'pg';

const clients = new WeakMap<EntityManager, PoolClient>();
const executors = new WeakMap<PoolClient, Kysely<unknown>>();

/** Makes the entity manager use this connection, whose transaction the caller begins and ends. */
export function bindConnection(em: EntityManager, client: PoolClient): void {
  clients.set(em, client);
  em.setTransactionContext(executorOf(client));
}

/** The connection of the entity manager's transaction. Throws outside of a unit of work. */
export function connectionOf(em: EntityManager): PoolClient {
  const client = clients.get(em);
  if (client === undefined || !em.isInTransaction()) throw new Error('statements run inside a unit of work only');
  return client;
}

/** Looks like a pool to the ORM, but has this one connection and never releases it. */
function executorOf(client: PoolClient): Kysely<unknown> {
  const known = executors.get(client);
  if (known !== undefined) return known;
  const lent = Object.assign(Object.create(client) as PostgresPoolClient, {
    query: client.query.bind(client),
    release: () => undefined,
  });
  const pool = { connect: async () => lent, end: async () => undefined } as unknown as PostgresPool;
  const executor = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  executors.set(client, executor);
  return executor;
}
