import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '#dev/cluster';
import type { Facts } from '../effects/facts.ts';
import type { CrashTestCluster } from './crash-test-cluster.ts';

/** A repetition that must not come would come within this time. */
const quietMs = 3_000;

/** Waits until nothing is pending and nothing is missing, or until the time is over; then a little longer. Returns the facts. */
export async function waitForQuiet(testCluster: CrashTestCluster, giveUpAfterMs: number): Promise<Facts> {
  const isQuiet = async (): Promise<boolean> => {
    if ((await testCluster.facts.countPending()) > 0) return false;
    return testCluster.judge(await testCluster.read()).every(({ kind }) => kind !== 'lost');
  };
  await waitUntil(isQuiet, Boolean, giveUpAfterMs).catch(() => undefined);
  await pause(quietMs);
  return testCluster.read();
}
