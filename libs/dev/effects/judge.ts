import type { CallLog } from './calls.ts';
import type { Facts } from './facts.ts';
import type { Fault } from './fault.ts';
import { judgeAccounts } from './judge-accounts.ts';
import { judgeAudience } from './judge-audience.ts';
import { judgeDeliveries } from './judge-deliveries.ts';
import { judgeWrites } from './judge-writes.ts';

/**
 * Every difference between what clients know of their calls and what is there, in both directions. To be asked once nothing
 * is pending. `losses`: how often a process of auth or users, or PostgreSQL, went away: auth's outbox repeats
 * what it cannot know to be done.
 */
export function judge(log: CallLog, facts: Facts, losses: number): Fault[] {
  return [
    ...judgeWrites(log.writes, facts),
    ...judgeAudience(facts, log.sightings),
    ...judgeDeliveries(facts),
    ...judgeAccounts(log.accounts, facts, losses),
  ];
}
