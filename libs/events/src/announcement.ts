import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from '#libs/db';

interface Queryable {
  query(text: string, parameters: unknown[]): Promise<unknown>;
}

/** Per connection pool and channel: whether an announcement is on its way, and whether another commit came since. */
const running = new WeakMap<object, Map<string, { again: boolean }>>();

/** At most one announcement in this time per process and channel. */
const intervalMs = 10;

/**
 * Notifies the channel's listeners, soon, of new events. It is not part of the writing transaction: a NOTIFY inside
 * makes all commits of the cluster wait for each other (measured: 3,500 commits a second instead of 7,500 to 16,000).
 * When the process dies first, listeners find the events at their next look.
 */
export function announce(em: EntityManager, channel: string): void {
  const connection = em.getConnection();
  const channels = running.get(connection) ?? new Map<string, { again: boolean }>();
  running.set(connection, channels);
  const current = channels.get(channel);
  if (current !== undefined) {
    current.again = true;
    return;
  }
  const state = { again: true };
  channels.set(channel, state);
  void announceUntilQuiet(connection, channel, state).finally(() => channels.delete(channel));
}

async function announceUntilQuiet(
  connection: ReturnType<EntityManager['getConnection']>,
  channel: string,
  state: { again: boolean },
): Promise<void> {
  const pool = (await connection.getNativeClient()) as Queryable;
  while (state.again) {
    state.again = false;
    await pool.query('select pg_notify($1, $2)', [channel, '']).catch(() => undefined);
    await delay(intervalMs, undefined, { ref: false });
  }
}
