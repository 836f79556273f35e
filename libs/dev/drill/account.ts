import type { CallError } from '#dev/stubs';
import { signIn, type Account, type AccountCalls } from '../effects/accounts.ts';
import { attemptMs, type Caller } from './caller.ts';
import type { DrillCluster } from './drill-cluster.ts';

export const accountCalls = ({ clients, calls }: DrillCluster, { persist }: Caller): AccountCalls => ({
  auth: clients.auth,
  calls,
  timeoutMs: attemptMs,
  persist,
});

/** Repeating a refresh whose answer got lost gives the same successor for a short while; after that one signs in again. */
export async function refresh(drillCluster: DrillCluster, caller: Caller, account: Account): Promise<void> {
  const { refreshToken } = account;
  try {
    const send = () => drillCluster.clients.auth.refreshSession({ refreshToken }, { timeoutMs: attemptMs });
    const { tokens } = await caller.persist('RefreshSession', send, { wanted: ['unauthenticated'] });
    Object.assign(account, {
      token: tokens?.accessToken ?? '',
      refreshToken: tokens?.refreshToken ?? '',
      tokenSince: Date.now(),
    });
  } catch (error) {
    if ((error as CallError).kind !== 'unauthenticated') throw error;
    Object.assign(account, await signIn(accountCalls(drillCluster, caller), account));
  }
}
