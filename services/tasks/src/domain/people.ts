import { assigneeNotFound, assigneeUnchecked } from './task.errors.ts';

export interface Person {
  id: string;
  displayName: string;
  enabled: boolean;
}

/** What is known about some users. */
export interface KnownPeople {
  /** The users service answered about these now or a few seconds ago. */
  asked: ReadonlySet<string>;
  /** Those of `asked` who exist. */
  current: ReadonlyMap<string, Person>;
  /** Older answers about other users: good enough for a name, but not for a decision. */
  remembered: ReadonlyMap<string, Person>;
  /** Why the users service did not answer. */
  failure?: unknown;
}

/**
 * What was known about some users at one moment. It is looked up before a transaction begins, so that decisions inside need no
 * call. A missing answer throws only when a decision depends on it.
 */
export class People {
  readonly #known: KnownPeople;

  constructor(known: KnownPeople) {
    this.#known = known;
  }

  /** Whether each user is known, or known not to exist. */
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
