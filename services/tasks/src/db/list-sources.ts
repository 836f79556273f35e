import type { ListQuery } from '../deps.ts';

/** Where the tasks of a list come from; deleted ones are among the owned. */
export type Source = 'owned' | 'assigned';

/** $1 is the person. */
export const sourceConditions: Readonly<Record<Source, string[]>> = {
  owned: ['owner_id = $1::uuid'],
  assigned: ['assignee_id = $1::uuid', 'assignee_id <> owner_id', 'delete_time is null'],
};

export function sourcesOf({ whose, filter }: ListQuery): Source[] {
  const mayBeAssigned = 'mine' in whose && (filter.assigneeId === '' || filter.assigneeId === whose.mine);
  return mayBeAssigned ? ['owned', 'assigned'] : ['owned'];
}

export function personOf({ whose }: ListQuery): string {
  return 'mine' in whose ? whose.mine : whose.ownedBy;
}
