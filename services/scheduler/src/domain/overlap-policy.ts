import { ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import type { OverlapPolicy } from './schedule.entity.ts';

const messages: Readonly<Record<OverlapPolicy, ScheduleOverlapPolicy>> = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'buffer-all': ScheduleOverlapPolicy.BUFFER_ALL,
};

const policies = new Map<ScheduleOverlapPolicy, OverlapPolicy>([
  [ScheduleOverlapPolicy.UNSPECIFIED, 'skip'],
  ...Object.entries(messages).map(([policy, message]) => [message, policy as OverlapPolicy] as const),
]);

export function toOverlapPolicyMessage(policy: OverlapPolicy): ScheduleOverlapPolicy {
  return messages[policy];
}

/** Unset means skip; undefined for a value that the contract does not name. */
export function toOverlapPolicy(message: ScheduleOverlapPolicy): OverlapPolicy | undefined {
  return policies.get(message);
}
