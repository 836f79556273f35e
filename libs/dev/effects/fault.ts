/**
 * lost: what a call must have left is not there. surplus: something is there that no call explains, or once more than it
 * does. leaked: somebody was notified of, or saw, what does not concern them. contradiction: two records do not fit together.
 */
export interface Fault {
  kind: 'lost' | 'surplus' | 'leaked' | 'contradiction';
  what: string;
}

export const lost = (what: string): Fault => ({ kind: 'lost', what });
export const surplus = (what: string): Fault => ({ kind: 'surplus', what });
export const leaked = (what: string): Fault => ({ kind: 'leaked', what });
export const contradiction = (what: string): Fault => ({ kind: 'contradiction', what });

/** The same question about each of many. */
export const each = <T>(items: Iterable<T>, judge: (item: T) => Fault[]): Fault[] => [...items].flatMap(judge);

/** The fault, unless something holds. */
export const unless = (holds: boolean, fault: Fault): Fault[] => (holds ? [] : [fault]);

/** How often something is there, against how often it may be. */
export function compare(what: string, count: number, { least, most }: { least: number; most: number }): Fault[] {
  if (count < least) return [lost(`${what}: ${count} where at least ${least} must be`)];
  return count > most ? [surplus(`${what}: ${count} where at most ${most} may be`)] : [];
}
