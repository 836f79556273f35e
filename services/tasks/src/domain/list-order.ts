/** The keys of a list's order, by their names in the contract. Only a project has the order by position. */
export const sortKeys = ['create_time', 'update_time', 'due_time', 'priority', 'title', 'position'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface SortTerm {
  key: SortKey;
  descending: boolean;
}

/**
 * The most significant key comes first, each key once. Titles and positions are ordered by code points. Tasks without due time come last in
 * both directions. Ids, in the direction of the last term, make the order total. Priority is never the only key.
 */
export type ListOrder = readonly SortTerm[];

export const newestFirst: ListOrder = [{ key: 'create_time', descending: true }];
