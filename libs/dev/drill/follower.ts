import { setTimeout as pause } from 'node:timers/promises';
import type { TaskEvent } from '#contract/tasks/v1/tasks';
import { CallError } from '#dev/stubs';
import type { Account } from '../effects/accounts.ts';
import { outcomeOf, type Caller } from './caller.ts';
import type { DrillCluster } from './drill-cluster.ts';

/** A stream of news that goes on from its last token whenever it ends. */
export interface Follower {
  readonly events: readonly TaskEvent[];
  interruptions(): number;
  stop(): Promise<void>;
}

/** The server or the network broke it off. */
const passing: ReadonlySet<string> = new Set(['unavailable', 'deadline_exceeded', 'cancelled', 'resource_exhausted']);

/** Resolves when the stream has begun. */
export async function follow(drillCluster: DrillCluster, account: Account, caller: Caller): Promise<Follower> {
  const leaving = new AbortController();
  const events: TaskEvent[] = [];
  const begun = Promise.withResolvers<void>();
  let resumeToken = '';
  let interruptions = 0;

  const readOnce = async (token: string): Promise<void> => {
    for await (const message of drillCluster.clients.tasks.watchTasks(
      { resumeToken },
      { token, signal: leaving.signal },
    )) {
      if (message.event !== undefined) events.push(message.event);
      resumeToken = message.resumeToken;
      begun.resolve();
    }
  };
  const run = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      const { token } = account;
      try {
        await readOnce(token);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        // A stream ends with its token, which has been replaced by then.
        const mayEnd =
          leaving.signal.aborted ||
          passing.has(error.kind) ||
          (error.kind === 'unauthenticated' && token !== account.token);
        if (!mayEnd) caller.violate(7, `a stream ended with ${outcomeOf(error)}: ${error.message}`);
      }
      interruptions += 1;
      if (!leaving.signal.aborted) await pause(100);
    }
  };
  const running = run();
  await Promise.race([begun.promise, running]);
  return {
    events,
    interruptions: () => interruptions - (leaving.signal.aborted ? 1 : 0),
    stop: async () => {
      leaving.abort();
      await running;
    },
  };
}
