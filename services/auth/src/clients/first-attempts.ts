import { settlesWithin } from '#libs/runtime';

/** Lets a call wait for the first attempt of what its transaction has recorded in the outbox. */
export interface FirstAttempts {
  /** Resolves when it was tried once, or shortly anyway: the answer must not wait for a service that is down. */
  waitFor(id: string): Promise<void>;
  /** Runs an attempt, and resolves whoever waits for it, however it ends. */
  attempt(id: string, run: () => Promise<void>): Promise<void>;
}

// An attempt usually takes ten milliseconds, so a client that goes on at once finds it done.
const maxWaitMs = 300;

export function createFirstAttempts(): FirstAttempts {
  const waiting = new Map<string, () => void>();
  return {
    waitFor: async (id) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(id, resolve);
      await settlesWithin(promise, maxWaitMs);
      waiting.delete(id);
    },
    attempt: async (id, run) => {
      try {
        await run();
      } finally {
        waiting.get(id)?.();
      }
    },
  };
}
