/** What a list of tasks may be ordered by: names of fields in the contract, and of columns. */
export const sortKeys = ['create_time', 'update_time', 'due_time', 'priority', 'title'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface SortTerm {
  key: SortKey;
  descending: boolean;
}

/**
 * The most significant first, each key once. Titles go by code points. Tasks without due time come last in both
 * directions. Ids in the direction of the last term make the order total.
 */
export type ListOrder = readonly SortTerm[];

export const newestFirst: ListOrder = [{ key: 'create_time', descending: true }];
