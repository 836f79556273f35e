import { assigneeNotFound, assigneeUnchecked } from './task.errors.ts';

export interface Person {
  id: string;
  displayName: string;
  enabled: boolean;
}

/** What could be learned about some users. */
export interface KnownPeople {
  /** Those about whom the users service has answered, now or a few seconds ago. */
  asked: ReadonlySet<string>;
  /** Those among them who exist. */
  current: ReadonlyMap<string, Person>;
  /** As others were when the users service last answered about them: good for a name, not for a decision. */
  remembered: ReadonlyMap<string, Person>;
  /** Why the users service did not answer. */
  failure?: unknown;
}

/**
 * What was known about some users at one moment. It is gathered before a transaction begins, so that the decisions
 * inside need no call; nothing here throws for a missing answer until somebody depends on it.
 */
export class People {
  readonly #known: KnownPeople;

  constructor(known: KnownPeople) {
    this.#known = known;
  }

  /** Whether all names are known, or known not to be there. */
  know(ids: readonly string[]): boolean {
    return ids.every((id) => this.#known.asked.has(id) || this.#known.remembered.has(id));
  }

  /** Empty when the user is unknown. */
  nameOf(id: string): string {
    return (this.#known.current.get(id) ?? this.#known.remembered.get(id))?.displayName ?? '';
  }

  /** Throws ASSIGNEE_NOT_FOUND, or UNAVAILABLE when it is not known whether the user exists and is enabled. */
  requireEnabled(id: string): void {
    if (!this.#known.asked.has(id)) throw assigneeUnchecked(this.#known.failure);
    if (this.#known.current.get(id)?.enabled !== true) throw assigneeNotFound(id);
  }
}
