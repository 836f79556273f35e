import { InternalUsersServiceService } from '#contract/users/v1/users';
import { createClient, type ClientOptions } from '#libs/grpc';
import { remainingMs } from '#libs/runtime';
import type { PeopleDirectory } from '../deps.ts';
import { People } from '../domain/people.ts';

/** Names are worth half a second of an answer. */
const namesMs = 500;
/** A decision may take as long as the contract grants the call. */
const checkMs = 2000;

/** Neither may use up more than half of what is left for the answer. */
function timeoutFor(mustCheck: boolean): number {
  return Math.floor(Math.min(mustCheck ? checkMs : namesMs, remainingMs() / 2));
}

export function openPeopleDirectory(options: Omit<ClientOptions, 'callee'>): PeopleDirectory & { close(): void } {
  const users = createClient(InternalUsersServiceService, { ...options, callee: 'users' });
  return {
    lookUp: async (ids, { mustCheck } = { mustCheck: false }) => {
      const userIds = [...new Set(ids.filter((id) => id !== null && id !== ''))] as string[];
      if (userIds.length === 0) return new People([], []);
      try {
        const answer = await users.client.batchGetUsers({ userIds }, { timeoutMs: timeoutFor(mustCheck) });
        return new People(userIds, answer.users);
      } catch (error) {
        return new People(userIds, [], error);
      }
    },
    close: users.close,
  };
}
