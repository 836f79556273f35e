import { InternalUsersServiceService, Role } from '#contract/users/v1/users';
import type { Cache } from '#libs/cache';
import { AppError } from '#libs/errors';
import { createClient, type ClientOptions } from '#libs/grpc';
import {
  batchPerTurn,
  currentContext,
  remainingMs,
  runWithContext,
  settlesWithin,
  type CallContext,
} from '#libs/runtime';
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
function timeoutFor(longestMs: number): number {
  return Math.floor(Math.min(longestMs, remainingMs() / 2));
}

/** The most that users takes in one call. */
const maxIds = 1000;

interface Question {
  userIds: readonly string[];
  timeoutMs: number;
  context: CallContext | undefined;
}

/** Has the ids and the trace of the first call; lasts as long as the longest, and ends with none of them. */
function sharedContext(calls: readonly (CallContext | undefined)[]): CallContext | undefined {
  const [first] = calls;
  const deadline = Math.max(...calls.map((call) => call?.deadline ?? Infinity));
  return first && { ...first, deadline, signal: new AbortController().signal };
}

function pick(people: ReadonlyMap<string, Person>, userIds: readonly string[]): Map<string, Person> {
  return new Map(userIds.flatMap((id) => people.get(id) ?? []).map((person) => [person.id, person]));
}

export function openPeopleDirectory(
  cache: Cache,
  options: Omit<ClientOptions, 'callee'>,
): PeopleDirectory & { close(): void } {
  const users = createClient(InternalUsersServiceService, { ...options, callee: 'users' });
  const people = cache.readThrough<Person>({ name: 'people-2', freshMs, rememberMs, maxItems: maxPeople });

  /** Makes as few calls as the number of ids allows. */
  async function findPeople(userIds: readonly string[], timeoutMs: number): Promise<Map<string, Person>> {
    const pages = Array.from({ length: Math.ceil(userIds.length / maxIds) }, (_, page) =>
      userIds.slice(page * maxIds, (page + 1) * maxIds),
    );
    const answers = await Promise.all(
      pages.map((page) => users.client.batchGetUsers({ userIds: page }, { timeoutMs })),
    );
    return new Map(answers.flatMap((answer) => answer.users.map((user) => [user.id, user])));
  }

  /** What the calls of one turn want to know is one call, which has as much time as the most patient of them. */
  const findTogether = batchPerTurn(async (questions: readonly Question[]) => {
    const userIds = [...new Set(questions.flatMap((question) => question.userIds))];
    const timeoutMs = Math.max(...questions.map((question) => question.timeoutMs));
    const context = sharedContext(questions.map((question) => question.context));
    const people = await runWithContext(context, () => findPeople(userIds, timeoutMs));
    return questions.map(() => people);
  });

  async function findNames(userIds: readonly string[]): Promise<ReadonlyMap<string, Person>> {
    const timeoutMs = timeoutFor(namesMs);
    const answer = findTogether({ userIds, timeoutMs, context: currentContext() });
    // Others may wait longer for the same call.
    if (await settlesWithin(answer, timeoutMs)) return pick(await answer, userIds);
    throw new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'users did not answer in time');
  }

  /** Each makes a call of its own, so that the breaker counts each that users does not answer in its full time. */
  const check = (userIds: readonly string[]) => findPeople(userIds, timeoutFor(checkMs));

  return {
    lookUp: async (ids, { mustCheck } = { mustCheck: false }) => {
      const userIds = ids.filter((id) => id !== null && id !== '') as string[];
      return new People(await people.lookUp(userIds, mustCheck ? check : findNames));
    },
    findByEmails: async ({ userId: callerId, role }, emails) => {
      const callerRole = role === 'admin' ? Role.ADMIN : Role.USER;
      const request = { callerId, callerRole, emails: [...emails] };
      const { foundUsers } = await users.client.batchFindUsers(request, { timeoutMs: timeoutFor(checkMs) });
      return new Map(
        foundUsers.flatMap(({ email, user, openToCaller }) =>
          user === undefined ? [] : [[email, { person: user, isOpenToCaller: openToCaller }]],
        ),
      );
    },
    forget: people.forget,
    close: users.close,
  };
}
