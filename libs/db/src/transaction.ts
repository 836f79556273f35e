import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import { currentContext, remainingMs, type CallContext } from '#libs/runtime';
import { assertCallGoesOn } from './database-errors.ts';
import type { ControlConnection } from './control-connection.ts';
import { bindConnection } from './em-connection.ts';
import { sessionLimits } from './orm.ts';
import { isBrokenConnection } from './sql-state.ts';

/** One transaction on one connection. Commit or rollback ends it; after a failed commit, roll back. */
export interface Transaction {
  readonly em: EntityManager;
  /** Throws when the call is over. */
  commit(): Promise<void>;
  /** Never throws. A connection that cannot roll back is discarded, and the server rolls back. */
  rollback(): Promise<void>;
}

/** How long a transaction may outlive its call before the server ends it together with the connection. */
const graceMs = 50;

export interface TransactionOptions {
  orm: MikroORM;
  connect: () => Promise<PoolClient>;
  control: ControlConnection;
}

/**
 * Begins a transaction that cannot outlive the running call; without a call, the session's limits apply. It waits for a
 * lock at most `lockTimeoutMs`.
 */
export async function beginTransaction(
  options: TransactionOptions,
  lockTimeoutMs: number = sessionLimits.lock_timeout,
): Promise<Transaction> {
  return begin(options, beginText(lockTimeoutMs));
}

/** Begins a transaction that only reads, all of it as of its first statement, and may wait `idleMs` between two. */
export async function beginSnapshot(options: TransactionOptions, idleMs: number): Promise<Transaction> {
  const { lock_timeout } = sessionLimits;
  return begin(
    options,
    `${beginText(lock_timeout)}; set transaction isolation level repeatable read, read only; ` +
      `set local idle_in_transaction_session_timeout = ${idleMs}`,
  );
}

async function begin({ orm, connect, control }: TransactionOptions, text: string): Promise<Transaction> {
  assertCallGoesOn();
  const client = await beginOnLiveConnection(connect, text);
  const em = orm.em.fork({ clear: true }) as EntityManager;
  bindConnection(em, client);
  const call = currentContext();
  const unbind = call === undefined ? async () => undefined : cancelWithCall(client, call, control);
  // A connection that is lost between two statements fails the next one. Unheard, the event would end the process.
  const ignoreLoss = (): void => undefined;
  client.on('error', ignoreLoss);
  let isOpen = true;
  const end = (broken: boolean): void => {
    isOpen = false;
    client.off('error', ignoreLoss);
    em.resetTransactionContext();
    client.release(broken);
  };
  return {
    em,
    commit: async () => {
      await unbind();
      assertCallGoesOn();
      const { command } = await client.query('commit');
      // The server rolls back without an error when a statement had failed and its error was swallowed.
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

/**
 * After a restart of the server the pool may hold a dead connection. Nothing has happened yet, so another one is taken.
 */
async function beginOnLiveConnection(connect: TransactionOptions['connect'], text: string): Promise<PoolClient> {
  try {
    return await connectAndBegin(connect, text);
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    return connectAndBegin(connect, text);
  }
}

async function connectAndBegin(connect: TransactionOptions['connect'], text: string): Promise<PoolClient> {
  const client = await connect();
  try {
    // The call may have ended while it waited for a connection.
    assertCallGoesOn();
    await client.query(text);
    return client;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * Sends the limits in one message. A statement that begins late could run past the deadline, because its own timeout
 * counts from its start. The transaction's timeout prevents that, also while this process is frozen.
 */
function beginText(lockTimeoutMs: number): string {
  if (currentContext() === undefined && lockTimeoutMs === sessionLimits.lock_timeout) return 'begin';
  const leftMs = Math.max(1, Math.floor(remainingMs()));
  const limits = {
    statement_timeout: Math.min(leftMs, sessionLimits.statement_timeout),
    // Shorter than the deadline, so that a wait for a lock is reported as one.
    lock_timeout: Math.max(1, Math.min(Math.floor(leftMs * 0.7), lockTimeoutMs)),
    transaction_timeout: Math.min(leftMs + graceMs, 2 ** 31 - 1),
  };
  return ['begin', ...Object.entries(limits).map(([name, ms]) => `set local ${name} = ${ms}`)].join('; ');
}

/**
 * Cancels the running statement when the call ends. Call the result before the connection is used for anything else.
 */
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
    // The connection returns to the pool only after the request was delivered, so that it cannot hit the next
    // statement.
    await cancelling;
  };
}
