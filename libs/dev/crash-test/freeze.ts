import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isServing, waitUntil } from '#dev/cluster';
import type { CrashTestCluster } from './crash-test-cluster.ts';

/** A scheduler that stands still in the middle of something. */
export interface FrozenScheduler {
  /** Lets it go on; resolves when it answers again. */
  thaw(): Promise<void>;
}

function isStopped(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  const file = `/proc/${pid}/stat`;
  if (existsSync(file)) return readFileSync(file, 'utf8').includes(') T ');
  return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
}

/** Freezes the first scheduler that reaches the point; `begin` makes it get there. */
export async function freezeAt(
  { cluster, ordersFile }: CrashTestCluster,
  point: string,
  begin: () => unknown,
): Promise<FrozenScheduler> {
  writeFileSync(ordersFile, `${point} SIGSTOP`);
  begin();
  const replicas = cluster.labels.filter((label) => label.startsWith('scheduler')).map((_, replica) => replica);
  const look = async (): Promise<number | undefined> =>
    replicas.find((replica) => isStopped(cluster.pid('scheduler', replica)));
  const frozen = (await waitUntil(look, (replica) => replica !== undefined)) as number;
  return {
    thaw: async () => {
      await cluster.kill('scheduler', 'SIGCONT', frozen);
      await waitUntil(() => isServing(cluster.address('scheduler', frozen)));
    },
  };
}
