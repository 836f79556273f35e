import { InternalUsersServiceService } from '#contract/users/v1/users';
import type { Cache } from '#libs/cache';
import { createClient, type ClientOptions } from '#libs/grpc';
import { remainingMs } from '#libs/runtime';
import type { PeopleDirectory } from '../deps.ts';
import { People, type Person } from '../domain/people.ts';

/** The most that an answer waits for names. */
const namesMs = 500;
/** The most that a decision waits, as the contract allows. */
const checkMs = 2000;

/**
 * New names and disabled accounts must show within five seconds: twice this time, and a second from auth to users.
 */
const freshMs = 2000;
/** How long names outlive the last answer of the users service. */
const rememberMs = 3_600_000;
const maxPeople = 20_000;

/** At most half of the time that is left for the answer. */
function timeoutFor(mustCheck: boolean): number {
  return Math.floor(Math.min(mustCheck ? checkMs : namesMs, remainingMs() / 2));
}

export function openPeopleDirectory(
  cache: Cache,
  options: Omit<ClientOptions, 'callee'>,
): PeopleDirectory & { close(): void } {
  const users = createClient(InternalUsersServiceService, { ...options, callee: 'users' });
  const people = cache.readThrough<Person>({ name: 'people-1', freshMs, rememberMs, maxItems: maxPeople });

  async function ask(userIds: string[], mustCheck: boolean): Promise<Map<string, Person>> {
    const answer = await users.client.batchGetUsers({ userIds }, { timeoutMs: timeoutFor(mustCheck) });
    return new Map(answer.users.map((user) => [user.id, user]));
  }

  return {
    lookUp: async (ids, { mustCheck } = { mustCheck: false }) => {
      const userIds = ids.filter((id) => id !== null && id !== '') as string[];
      return new People(await people.lookUp(userIds, (missing) => ask(missing, mustCheck)));
    },
    close: users.close,
  };
}
