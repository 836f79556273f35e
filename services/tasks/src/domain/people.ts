import { assigneeNotFound, assigneeUnchecked } from './task.errors.ts';

export interface Person {
  id: string;
  displayName: string;
  enabled: boolean;
}

/**
 * What was known about some users at one moment. It is gathered before a transaction begins, so that the decisions
 * inside need no call; nothing here throws for a missing answer until somebody depends on it.
 */
export class People {
  readonly #asked: ReadonlySet<string>;
  readonly #found: ReadonlyMap<string, Person>;
  readonly #failure: unknown;

  /** `failure` = the users service did not answer. */
  constructor(asked: readonly string[], found: readonly Person[], failure?: unknown) {
    this.#asked = new Set(failure === undefined ? asked : []);
    this.#found = new Map(found.map((person) => [person.id, person]));
    this.#failure = failure;
  }

  know(ids: readonly string[]): boolean {
    return ids.every((id) => this.#asked.has(id));
  }

  /** Empty when the user is unknown. */
  nameOf(id: string): string {
    return this.#found.get(id)?.displayName ?? '';
  }

  /** Throws ASSIGNEE_NOT_FOUND, or UNAVAILABLE when it is not known whether the user exists and is enabled. */
  requireEnabled(id: string): void {
    if (!this.#asked.has(id)) throw assigneeUnchecked(this.#failure);
    if (this.#found.get(id)?.enabled !== true) throw assigneeNotFound(id);
  }
}
