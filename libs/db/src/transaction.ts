import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { currentContext, remainingMs, type CallContext } from '#libs/runtime';
import { assertCallGoesOn } from './database-errors.ts';
import type { ControlConnection } from './control-connection.ts';
import { sessionLimits } from './orm.ts';
import { isBrokenConnection } from './sql-state.ts';
import { runStatement } from './statement.ts';

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

/** Begins a transaction that cannot outlive the running call; without a call, the session's limits apply. */
export async function beginTransaction(orm: MikroORM, control: ControlConnection): Promise<Transaction> {
  assertCallGoesOn();
  const em = orm.em.fork({ clear: true }) as EntityManager;
  await beginOnLiveConnection(em);
  const call = currentContext();
  if (call === undefined) return { em, commit: () => em.commit(), rollback: () => rollbackQuietly(em) };
  try {
    return bindToCall(em, call, control, await limitToCall(em));
  } catch (error) {
    await rollbackQuietly(em);
    throw error;
  }
}

/** After a restart of the server the pool may still hold a dead connection; nothing has happened yet, so take another. */
async function beginOnLiveConnection(em: EntityManager): Promise<void> {
  try {
    await em.begin();
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    await em.begin();
  }
}

/**
 * A statement begun late could still run past the deadline by its own timeout, which counts from its start; the
 * transaction's timeout catches that, and also holds when this process is frozen.
 */
async function limitToCall(em: EntityManager): Promise<number> {
  const leftMs = Math.max(1, Math.floor(remainingMs()));
  const limits = {
    statement_timeout: Math.min(leftMs, sessionLimits.statement_timeout),
    // Below the deadline, so that a wait for a lock is answered as one.
    lock_timeout: Math.max(1, Math.min(Math.floor(leftMs * 0.7), sessionLimits.lock_timeout)),
    transaction_timeout: leftMs + graceMs,
  };
  const settings = Object.keys(limits).map((name, index) => `set_config('${name}', $${index + 1}, true)`);
  const rows = await runStatement<{ process_id: number }>(em, `select pg_backend_pid() as process_id, ${settings.join(', ')}`, Object.values(limits).map(String));
  return rows[0]?.process_id ?? 0;
}

function bindToCall(em: EntityManager, call: CallContext, control: ControlConnection, processId: number): Transaction {
  let cancelling = Promise.resolve();
  const cancel = (): void => {
    cancelling = control.cancelStatement(processId);
  };
  call.signal.addEventListener('abort', cancel, { once: true });
  if (call.signal.aborted) cancel();
  const unbind = async (): Promise<void> => {
    call.signal.removeEventListener('abort', cancel);
    // The connection goes back to the pool only after the request was delivered: it must not hit the next user's statement.
    await cancelling;
  };
  return {
    em,
    commit: async () => {
      await unbind();
      assertCallGoesOn();
      await em.commit();
    },
    rollback: async () => {
      await unbind();
      await rollbackQuietly(em);
    },
  };
}

async function rollbackQuietly(em: EntityManager): Promise<void> {
  if (!em.isInTransaction()) return;
  await em.rollback().catch(() => undefined);
}
