import { AsyncLocalStorage } from 'node:async_hooks';

const open = new AsyncLocalStorage<boolean>();

/** Runs the body of a database transaction and marks everything that it awaits as inside one. */
export function runInsideTransaction<T>(fn: () => Promise<T>): Promise<T> {
  return open.run(true, fn);
}

/**
 * Call it before waiting for anything but the database: network calls, queues, password hashing. Inside a transaction
 * it throws, because locks would be held for as long as the other side takes. That is a defect of the calling code, not
 * a condition to handle.
 */
export function assertNoOpenTransaction(what: string): void {
  if (open.getStore() === true) throw new Error(`${what} inside a database transaction`);
}
