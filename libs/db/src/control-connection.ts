import { DatabaseError, Pool } from 'pg';
import type { Credentials } from './credentials.ts';

/** Cancels running statements over a connection of its own, because the connection that runs them is busy. */
export interface ControlConnection {
  /** Resolves when the server has forwarded the request, or could not be asked. Never throws. */
  cancelStatement(processId: number): Promise<void>;
  /** Whether the server answers within a second or two; a refusal is an answer, too. Never throws. */
  isAnswering(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * One connection, opened when needed and closed when idle, so that many aborted calls queue here instead of opening a
 * connection each. A statement that cannot be cancelled still ends by its own timeout.
 */
export function createControlConnection(credentials: Credentials, applicationName: string): ControlConnection {
  const pool = new Pool({
    ...credentials.options,
    application_name: `${applicationName} control`,
    max: 1,
    connectionTimeoutMillis: 1000,
    query_timeout: 1000,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
  });
  pool.on('error', () => undefined);
  return {
    cancelStatement: async (processId) => {
      await credentials.connect(() => pool.query('select pg_cancel_backend($1)', [processId])).catch(() => undefined);
    },
    isAnswering: () =>
      pool.query('select 1').then(
        () => true,
        (error: unknown) => error instanceof DatabaseError,
      ),
    close: () => pool.end(),
  };
}
