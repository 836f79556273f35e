/**
 * contracts: the release before, which still runs, would miss or be refused something. rewrites: every row of a table
 * is written again. locks: others cannot read or write the table while all of it is scanned. unknown: nobody has judged
 * this kind of statement.
 */
export interface Objection {
  kind: 'contracts' | 'rewrites' | 'locks' | 'unknown';
  why: string;
  /** The released table; '' when the objection is about none. */
  table: string;
}

export const contracts = (table: string, why: string): Objection[] => [{ kind: 'contracts', table, why }];
export const rewrites = (table: string, why: string): Objection[] => [{ kind: 'rewrites', table, why }];
export const locks = (table: string, why: string): Objection[] => [{ kind: 'locks', table, why }];
export const unknown = (table: string, why: string): Objection[] => [{ kind: 'unknown', table, why }];
