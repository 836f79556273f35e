import type { ListQuery } from '../deps.ts';

/** The tasks that a person owns, deleted ones included, and those that others assigned to the person. */
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
