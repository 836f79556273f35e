import { watchTasks, type TaskFlowError } from '#client/index';
import { connect } from '#client/node';
import { TasksService, type TaskEvent } from '#client/tasks';
import { clientOptions } from '#dev/cluster';
import type { Account } from '../effects/accounts.ts';
import type { Caller } from './caller.ts';
import { replicas, type DrillCluster } from './drill-cluster.ts';

/** Somebody's news, as the client package watches them. */
export interface Follower {
  readonly events: readonly TaskEvent[];
  interruptions(): number;
  stop(): Promise<void>;
}

export interface FollowOptions {
  drillCluster: DrillCluster;
  account: Account;
  caller: Caller;
  /** Of the worker. */
  number: number;
}

/** Resolves when the watch has begun. It goes on by itself, at one of the replicas. */
export async function follow({ drillCluster, account, caller, number }: FollowOptions): Promise<Follower> {
  const leaving = new AbortController();
  const events: TaskEvent[] = [];
  const begun = Promise.withResolvers<void>();
  let interruptions = 0;
  const { cluster } = drillCluster;
  const connection = connect(
    clientOptions({ tasks: cluster.address('tasks', number % replicas) }, cluster.certificates),
  );
  const credentials = {
    token: async () => account.token,
    // The worker renews it.
    renew: async (refused: string) => account.token !== refused,
  };
  const watch = watchTasks(connection.as(credentials).service(TasksService), {
    start: 'now',
    signal: leaving.signal,
    onInterrupt: () => (interruptions += 1),
  });
  const run = async (): Promise<void> => {
    try {
      for await (const update of watch) {
        begun.resolve();
        if (update.kind === 'event') events.push(update.event);
        if (update.kind === 'gap') caller.violate(7, `a watch has a gap: ${update.sequences.join(', ')}`);
      }
    } catch (error) {
      const { code, reason, message } = error as TaskFlowError;
      caller.violate(7, `a watch ended with ${code}/${reason}: ${message}`);
    }
  };
  const running = run();
  await Promise.race([begun.promise, running]);
  return {
    events,
    interruptions: () => interruptions,
    stop: async () => {
      leaving.abort();
      await running;
      connection.close();
    },
  };
}
