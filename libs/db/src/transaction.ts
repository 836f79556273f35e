import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Pool, PoolClient } from 'pg';
import { currentContext, remainingMs, type CallContext } from '#libs/runtime';
import { assertCallGoesOn } from './database-errors.ts';
import type { ControlConnection } from './control-connection.ts';
import { bindConnection } from './em-connection.ts';
import { sessionLimits } from './orm.ts';
import { isBrokenConnection } from './sql-state.ts';

/** One transaction on one connection. Exactly one of commit and rollback ends it; after a failed commit, roll back. */
export interface Transaction {
  readonly em: EntityManager;
  /** Refuses when the call is over. */
  commit(): Promise<void>;
  /** Never throws: a connection that cannot roll back is discarded, and the server rolls back for it. */
  rollback(): Promise<void>;
}

/** How long a transaction may outlive its call before the server ends it together with the connection. */
const graceMs = 50;

export interface TransactionOptions {
  orm: MikroORM;
  pool: () => Promise<Pool>;
  control: ControlConnection;
}

/** Begins a transaction that cannot outlive the running call; without a call, the session's limits apply. */
export async function beginTransaction({ orm, pool, control }: TransactionOptions): Promise<Transaction> {
  assertCallGoesOn();
  const client = await beginOnLiveConnection(await pool());
  const em = orm.em.fork({ clear: true }) as EntityManager;
  bindConnection(em, client);
  const call = currentContext();
  const unbind = call === undefined ? async () => undefined : cancelWithCall(client, call, control);
  let isOpen = true;
  const end = (broken: boolean): void => {
    isOpen = false;
    em.resetTransactionContext();
    client.release(broken);
  };
  return {
    em,
    commit: async () => {
      await unbind();
      assertCallGoesOn();
      const { command } = await client.query('commit');
      // The server rolls back, without an error, when a statement had failed and its error was swallowed.
      if (command !== 'COMMIT') throw new Error('the transaction had failed before its commit');
      end(false);
    },
    rollback: async () => {
      if (!isOpen) return;
      await unbind();
      await client.query('rollback').then(
        () => end(false),
        () => end(true),
      );
    },
  };
}

/** After a restart of the server the pool may still hold a dead connection; nothing has happened yet, so take another. */
async function beginOnLiveConnection(pool: Pool): Promise<PoolClient> {
  try {
    return await connectAndBegin(pool);
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    return connectAndBegin(pool);
  }
}

async function connectAndBegin(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  try {
    // The call may have ended while it waited for a connection.
    assertCallGoesOn();
    await client.query(beginText());
    return client;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * One message with the limits. A statement begun late could still run past the deadline by its own timeout, which counts
 * from its start; the transaction's timeout catches that, and also holds when this process is frozen.
 */
function beginText(): string {
  if (currentContext() === undefined) return 'begin';
  const leftMs = Math.max(1, Math.floor(remainingMs()));
  const limits = {
    statement_timeout: Math.min(leftMs, sessionLimits.statement_timeout),
    // Below the deadline, so that a wait for a lock is answered as one.
    lock_timeout: Math.max(1, Math.min(Math.floor(leftMs * 0.7), sessionLimits.lock_timeout)),
    transaction_timeout: Math.min(leftMs + graceMs, 2 ** 31 - 1),
  };
  return ['begin', ...Object.entries(limits).map(([name, ms]) => `set local ${name} = ${ms}`)].join('; ');
}

/** Cancels what runs when the call ends. The result ends that, before the connection is used for anything else. */
function cancelWithCall(client: PoolClient, call: CallContext, control: ControlConnection): () => Promise<void> {
  const { processID } = client as PoolClient & { processID?: number };
  let cancelling = Promise.resolve();
  const cancel = (): void => {
    if (processID !== undefined) cancelling = control.cancelStatement(processID);
  };
  call.signal.addEventListener('abort', cancel, { once: true });
  if (call.signal.aborted) cancel();
  return async () => {
    call.signal.removeEventListener('abort', cancel);
    // The connection goes back to the pool only after the request was delivered: it must not hit the next user's statement.
    await cancelling;
  };
}
