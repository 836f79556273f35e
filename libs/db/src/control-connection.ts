import { Pool } from 'pg';

/** Cancels running statements over a connection of its own, since the one that runs them is busy. */
export interface ControlConnection {
  /** Resolves when the server has passed the request on, or could not be asked. Never throws. */
  cancelStatement(processId: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * One connection, opened when needed and closed when idle: an avalanche of aborted calls queues here instead of
 * opening a connection for each. A statement that cannot be cancelled still ends by its own timeout.
 */
export function createControlConnection(url: string, applicationName: string): ControlConnection {
  const pool = new Pool({
    connectionString: url,
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
      await pool.query('select pg_cancel_backend($1)', [processId]).catch(() => undefined);
    },
    close: () => pool.end(),
  };
}
