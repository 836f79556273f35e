import type { AppError } from '#libs/errors';
import { assigneeEmailNotFound, assigneeNotFound, assigneeUnchecked } from './task.errors.ts';

export interface Person {
  id: string;
  displayName: string;
  enabled: boolean;
  /** For programs; shown beside the name. */
  serviceAccount: boolean;
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

/** Whom the caller finds by some e-mails. */
export interface FoundPeople {
  byEmail: ReadonlyMap<string, Person>;
  /** Why nobody was looked for. */
  failure?: unknown;
}

/** What is said of a person of whom a decision depends. */
export interface PersonErrors {
  /** There is no such enabled person. */
  notFound(id: string): AppError;
  /** The caller finds nobody by the e-mail. */
  emailNotFound(): AppError;
  /** Whether there is one is not known. */
  unchecked(cause: unknown): AppError;
}

const assigneeErrors: PersonErrors = {
  notFound: assigneeNotFound,
  emailNotFound: assigneeEmailNotFound,
  unchecked: assigneeUnchecked,
};

const nobodyFound: FoundPeople = { byEmail: new Map() };

/**
 * What was known about some users at one moment. It is looked up before a transaction begins, so that decisions inside need no
 * call. A missing answer throws only when a decision depends on it.
 */
export class People {
  readonly #known: KnownPeople;
  readonly #found: FoundPeople;
  readonly #foundById: ReadonlyMap<string, Person>;

  constructor(known: KnownPeople, found: FoundPeople = nobodyFound) {
    this.#known = known;
    this.#found = found;
    this.#foundById = new Map([...found.byEmail.values()].map((person) => [person.id, person]));
  }

  /** The same people, and those who were found by e-mail. */
  with(found: FoundPeople): People {
    return new People(this.#known, found);
  }

  #find(id: string): Person | undefined {
    const { current, remembered } = this.#known;
    return this.#foundById.get(id) ?? current.get(id) ?? remembered.get(id);
  }

  /** Whether each user is known, or known not to exist. */
  know(ids: readonly string[]): boolean {
    const { asked, remembered } = this.#known;
    return ids.every((id) => this.#foundById.has(id) || asked.has(id) || remembered.has(id));
  }

  /** Empty when the user is unknown. */
  nameOf(id: string): string {
    return this.#find(id)?.displayName ?? '';
  }

  /** The id of the person whom the caller finds by an e-mail. Throws as requireEnabled does. */
  idByEmail(email: string, errors = assigneeErrors): string {
    const { byEmail, failure } = this.#found;
    const person = byEmail.get(email);
    if (person !== undefined) return person.id;
    throw failure === undefined ? errors.emailNotFound() : errors.unchecked(failure);
  }

  /** As idByEmail, but undefined when there is nobody or nobody could be looked for. */
  findByEmail(email: string): string | undefined {
    return this.#found.byEmail.get(email)?.id;
  }

  /** False when the user is unknown. */
  isServiceAccount(id: string): boolean {
    return this.#find(id)?.serviceAccount ?? false;
  }

  /** Throws unless the user exists and is enabled; UNAVAILABLE when that is not known. */
  requireEnabled(id: string, errors = assigneeErrors): void {
    if (!this.#known.asked.has(id)) throw errors.unchecked(this.#known.failure);
    if (this.#known.current.get(id)?.enabled !== true) throw errors.notFound(id);
  }
}
